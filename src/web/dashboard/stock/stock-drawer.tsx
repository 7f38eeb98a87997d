import { Drawer } from '../../shared/components/drawer.tsx';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { Fault, Loading } from '../parts/states.tsx';
import { AdjustForm } from './adjust-form.tsx';
import { SetForm } from './set-form.tsx';
import { Level } from './stock-row.tsx';

const VARIANT = graphql(`
  query StaffStockDrawer($sku: String!) {
    productVariant(sku: $sku) {
      ...StaffStockRow
    }
  }
`);

/** Changes the stock of one variant. Its levels move while the drawer is open. */
export function StockDrawer({ sku, onClose }: { sku: string | null; onClose: () => void }) {
  return (
    <Drawer open={sku !== null} onClose={onClose} title="Change stock">
      {sku !== null && <Content key={sku} sku={sku} />}
    </Drawer>
  );
}

function Content({ sku }: { sku: string }) {
  const [{ data, error }, reread] = usePage(VARIANT, { sku });
  const variant = data?.productVariant;
  if (variant == null || variant.onHand == null) {
    return (
      <div className="stock-drawer">
        {error === undefined ? <Loading rows={4} /> : <Fault error={error} retry={reread} />}
      </div>
    );
  }
  return (
    <div className="stock-drawer">
      <p>
        <strong>{variant.product.title}</strong>
        <span className="quiet block">
          {variant.title === 'Default' ? '' : `${variant.title}, `}
          {sku}
        </span>
      </p>
      <dl className="levels">
        <div>
          <dt>Available</dt>
          <dd className="number">
            <Level value={variant.available} />
          </dd>
        </div>
        <div>
          <dt>Held by carts</dt>
          <dd className="number">
            <Level value={variant.held} />
          </dd>
        </div>
        <div>
          <dt>On hand</dt>
          <dd className="number">
            <Level value={variant.onHand} />
          </dd>
        </div>
      </dl>
      <AdjustForm variantId={variant.id} />
      <SetForm variantId={variant.id} onHand={variant.onHand} />
    </div>
  );
}
