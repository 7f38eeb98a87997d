import type { ProductDetailsFragment } from '../../generated/graphql.ts';
import './option-picker.css';

type Variant = ProductDetailsFragment['variants'][number];
type Choice = Readonly<Record<string, string>>;

const choiceOf = ({ selectedOptions }: Variant): Choice =>
  Object.fromEntries(selectedOptions.map(({ name, value }) => [name, value]));

/** The variant of a choice, or the one that is nearest to it and has the value that was chosen last. */
export function variantOf(
  { variants }: ProductDetailsFragment,
  { choice, last }: { choice: Choice; last: string },
): Variant | undefined {
  const fit = (variant: Variant) =>
    variant.selectedOptions.filter(({ name, value }) => choice[name] === value).length +
    (variant.availableForSale ? 0.5 : 0);
  return variants
    .filter((variant) => choiceOf(variant)[last] === choice[last])
    .toSorted((one, other) => fit(other) - fit(one))[0];
}

/** The options of a product, one row of values each. A value whose variants are all sold out can be chosen: to wait for it. */
export function OptionPicker({
  product,
  chosen,
  onChoose,
}: {
  product: ProductDetailsFragment;
  chosen: Variant;
  onChoose: (selected: { choice: Choice; last: string }) => void;
}) {
  const choice = choiceOf(chosen);
  return product.options.map(({ name, values }) => (
    <fieldset key={name} className="option">
      <legend>{name}</legend>
      <div className="option-values">
        {values.map((value) => {
          const next = variantOf(product, { choice: { ...choice, [name]: value }, last: name });
          if (next === undefined) return null;
          return (
            <label key={value} className={next.availableForSale ? '' : 'option-out'}>
              <input
                type="radio"
                name={`option-${name}`}
                value={value}
                checked={choice[name] === value}
                onChange={() => onChoose({ choice: { ...choice, [name]: value }, last: name })}
              />
              <span>
                {value}
                {!next.availableForSale && <span className="visually-hidden">, sold out</span>}
              </span>
            </label>
          );
        })}
      </div>
    </fieldset>
  ));
}
