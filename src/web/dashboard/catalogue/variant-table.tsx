import { Link } from 'wouter';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { formatMoney } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import type { StaffVariantFragment } from '../../generated/graphql.ts';
import { TablePlace } from '../parts/table-place.tsx';
import { Level } from '../stock/stock-row.tsx';
import { Ask } from './archive.tsx';
import './variant-draft.ts';

const ARCHIVE = graphql(`
  mutation StaffVariantArchive($id: ID!) {
    productVariantArchive(input: { id: $id }) {
      variant {
        id
        product {
          id
          updatedAt
          variants {
            ...StaffVariant
          }
        }
      }
      errors {
        message
      }
    }
  }
`);

/** The variants of a product. */
export function VariantTable({
  variants,
  isAlone,
  canAdd,
  onEdit,
}: {
  variants: readonly StaffVariantFragment[];
  isAlone: boolean;
  /** Whether the variants have options that another one can differ in. */
  canAdd: boolean;
  /** Called with the ID of a variant, or `new`. */
  onEdit: (id: string) => void;
}) {
  const [, archive] = useMutation(ARCHIVE);
  return (
    <>
      <TablePlace label="Variants">
        <table className="table">
          <caption className="visually-hidden">Variants, in the order in which they are shown</caption>
          <thead>
            <tr>
              <th scope="col">Variant</th>
              <th scope="col" className="end">
                Price
              </th>
              <th scope="col" className="end">
                Available
              </th>
              <th scope="col">
                <span className="visually-hidden">Change</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {variants.map((variant) => (
              <tr key={variant.id}>
                <th scope="row" className="long">
                  <Link href={`/stock/${encodeURIComponent(variant.sku)}`}>{variant.sku}</Link>
                  <span className="quiet small block">{variant.title === 'Default' ? '' : variant.title}</span>
                </th>
                <td className="number end">
                  {formatMoney(variant.price)}
                  {variant.compareAtPrice != null && (
                    <del className="quiet small block">{formatMoney(variant.compareAtPrice)}</del>
                  )}
                </td>
                <td className="number end">
                  <Level value={variant.available} />
                </td>
                <td>
                  <div className="row variant-steps">
                    <Button
                      look="second"
                      className="button-small"
                      aria-label={`Edit ${variant.sku}`}
                      onClick={() => onEdit(variant.id)}
                    >
                      Edit
                    </Button>
                    {!isAlone && (
                      <Ask
                        what="Archive"
                        label={`Archive ${variant.sku}`}
                        confirm="Archive this variant"
                        warning="The variant is taken off sale for good."
                        step={() => archive({ id: variant.id })}
                      />
                    )}
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TablePlace>
      {canAdd ? (
        <div>
          <Button look="second" onClick={() => onEdit('new')}>
            Add a variant
          </Button>
        </div>
      ) : (
        <p className="quiet small">
          To add further variants, edit this one first, and give it an option such as “Size” that tells them apart.
        </p>
      )}
    </>
  );
}
