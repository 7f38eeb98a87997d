import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { Link, useLocation } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { faultsBeside, faultsOf, NO_FAULTS, type Faults } from '../parts/faults.ts';
import { Page, Panel } from '../parts/page.tsx';
import { creationOf, EMPTY_PRODUCT } from './product-draft.ts';
import { isProductField, ProductFields } from './product-fields.tsx';
import { faultsOfDraft, newVariant, variantCreationOf, type VariantDraft } from './variant-draft.ts';
import { isVariantField, VariantFields } from './variant-fields.tsx';
import './catalogue.css';

const CREATE = graphql(`
  mutation StaffProductCreate($input: ProductCreateInput!) {
    productCreate(input: $input) {
      product {
        ...StaffProduct
        variants {
          ...StaffVariant
        }
      }
      errors {
        code
        message
        path
      }
    }
  }
`);

const OF_VARIANT = /^variants\.(\d+)\.(.+)$/;

/** The messages about one of the variants. */
function faultsOfVariant(faults: Faults, index: number): Faults {
  return Object.fromEntries(
    Object.entries(faults).flatMap(([field, message]) => {
      const [, at, rest = ''] = OF_VARIANT.exec(field) ?? [];
      return at === String(index) ? [[rest, message]] : [];
    }),
  );
}

const isShown = (field: string) => isProductField(field) || isVariantField(OF_VARIANT.exec(field)?.[2] ?? '');

/** A new product with its first variants. */
export function NewProductPage() {
  const [, go] = useLocation();
  const [{ fetching }, create] = useMutation(CREATE);
  const [draft, setDraft] = useState(EMPTY_PRODUCT);
  const [variants, setVariants] = useState<readonly VariantDraft[]>([newVariant([])]);
  const [faults, setFaults] = useState(NO_FAULTS);
  const names = variants[0]?.options.map(({ name }) => name) ?? [];

  /** The first variant names the options; the others have the same ones. */
  function edit(index: number, changes: Partial<VariantDraft>) {
    setVariants((before) => {
      const next = before.map((variant, at) => (at === index ? { ...variant, ...changes } : variant));
      const options = next[0]?.options ?? [];
      return next.map((variant, at) =>
        at === 0
          ? variant
          : {
              ...variant,
              options: options.map(({ name }, place) => ({ name, value: variant.options[place]?.value ?? '' })),
            },
      );
    });
  }
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (fetching) return;
    const own = Object.fromEntries(
      variants.flatMap((variant, index) =>
        Object.entries(faultsOfDraft(variant)).map(([field, message]) => [`variants.${index}.${field}`, message]),
      ),
    );
    setFaults(own);
    if (Object.keys(own).length > 0) return;
    const result = await create({ input: { ...creationOf(draft), variants: variants.map(variantCreationOf) } });
    setFaults(faultsOf(result));
    const made = result.data?.productCreate?.product;
    if (made != null) go(`/catalogue/products/${encodeURIComponent(made.id)}`);
  }
  const others = faultsBeside(faults, isShown);
  return (
    <Page
      title="New product"
      actions={
        <Link href="/catalogue" className="button button-second">
          All products
        </Link>
      }
    >
      <form className="entry-form" onSubmit={(event) => void submit(event)} noValidate aria-label="New product">
        <Panel title="Product">
          <ProductFields
            draft={draft}
            faults={faults}
            isNew
            onChange={(changes) => setDraft((before) => ({ ...before, ...changes }))}
          />
        </Panel>
        {variants.map((variant, index) => (
          <Panel
            key={index}
            title={variants.length === 1 ? 'Variant' : `Variant ${index + 1}`}
            actions={
              index > 0 && (
                <Button
                  look="plain"
                  aria-label={`Remove variant ${index + 1}`}
                  onClick={() => setVariants(variants.filter((_, at) => at !== index))}
                >
                  Remove
                </Button>
              )
            }
          >
            <VariantFields
              draft={variant}
              faults={faultsOfVariant(faults, index)}
              isNew
              canRenameOptions={index === 0}
              onChange={(changes) => edit(index, changes)}
            />
          </Panel>
        ))}
        {names.length > 0 && (
          <div>
            <Button look="second" onClick={() => setVariants([...variants, newVariant(names)])}>
              Add a variant
            </Button>
          </div>
        )}
        {others.length > 0 && <Notice tone="bad">{others.join(' ')}</Notice>}
        <div>
          <Button type="submit" busy={fetching}>
            Create product
          </Button>
        </div>
      </form>
    </Page>
  );
}
