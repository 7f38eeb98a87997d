import { useEffect, useState } from 'react';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import type { Faults } from '../parts/faults.ts';
import type { ProductDraft } from './product-draft.ts';

type Images = ProductDraft['images'];

/** Pictures by address, in the order in which they are shown. */
export function ImageList({
  images,
  faults,
  onChange,
}: {
  images: Images;
  faults: Faults;
  onChange: (images: Images) => void;
}) {
  const edit = (index: number, changes: Partial<Images[number]>) =>
    onChange(images.map((image, at) => (at === index ? { ...image, ...changes } : image)));
  const remove = (index: number) => onChange(images.filter((_, at) => at !== index));
  const move = (from: number, to: number) => {
    const next = [...images];
    next.splice(to, 0, ...next.splice(from, 1));
    onChange(next);
  };
  return (
    <fieldset className="product-images">
      <legend>Pictures</legend>
      {faults['images'] !== undefined && <p className="field-fault">{faults['images']}</p>}
      {images.length === 0 && <p className="quiet small">The first picture is the main one.</p>}
      <ol>
        {images.map((image, index) => (
          <li key={index} aria-label={`Picture ${index + 1}`}>
            <Preview url={image.url} />
            <div className="product-image-fields">
              <Field
                label="Address"
                type="url"
                required
                maxLength={2000}
                fault={faults[`images.${index}.url`]}
                value={image.url}
                onChange={({ target }) => edit(index, { url: target.value })}
              />
              <Field
                label="Text for screen readers"
                maxLength={500}
                fault={faults[`images.${index}.altText`]}
                value={image.altText}
                onChange={({ target }) => edit(index, { altText: target.value })}
              />
              <div className="row">
                <Button
                  look="plain"
                  aria-label={`Move picture ${index + 1} forward`}
                  disabled={index === 0}
                  onClick={() => move(index, index - 1)}
                >
                  Forward
                </Button>
                <Button
                  look="plain"
                  aria-label={`Move picture ${index + 1} back`}
                  disabled={index === images.length - 1}
                  onClick={() => move(index, index + 1)}
                >
                  Back
                </Button>
                <Button look="plain" aria-label={`Remove picture ${index + 1}`} onClick={() => remove(index)}>
                  Remove
                </Button>
              </div>
            </div>
          </li>
        ))}
      </ol>
      <Button look="second" className="button-small" onClick={() => onChange([...images, { url: '', altText: '' }])}>
        Add a picture
      </Button>
    </fieldset>
  );
}

const AFTER_TYPING_MS = 600;

/** The picture itself, once its address has been typed. */
function Preview({ url }: { url: string }) {
  const [shown, setShown] = useState(url);
  const [broken, setBroken] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setShown(url), AFTER_TYPING_MS);
    return () => clearTimeout(timer);
  }, [url]);
  const isPicture = /^(https?:\/\/[^\s/]+\/\S+|\/images\/\S+)$/.test(shown) && broken !== shown;
  return (
    <span className="product-image">
      {isPicture && <img src={shown} alt="" loading="lazy" onError={() => setBroken(shown)} />}
    </span>
  );
}
