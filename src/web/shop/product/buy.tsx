import { useState } from 'react';
import type { ProductDetailsFragment } from '../../generated/graphql.ts';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { useCartChanges } from '../cart/cart-changes.ts';
import { cartOpen } from '../cart/cart-state.ts';
import { Quantity } from '../cart/quantity.tsx';
import { NotifyMe } from './notify-me.tsx';
import './buy.css';

type Variant = ProductDetailsFragment['variants'][number];

const MOST = 99;

/** The way into the cart; where a variant is sold out, the way to hear when it is back. Each takes the other's place as it happens. */
export function Buy({ variant, product }: { variant: Variant; product: ProductDetailsFragment }) {
  const { busy, fault, add } = useCartChanges();
  const [wanted, setWanted] = useState(1);
  const canBuy = variant.availableForSale && variant.available > 0 && product.status === 'ACTIVE';
  const quantity = Math.max(1, Math.min(wanted, variant.available));
  async function put() {
    if (await add(variant.id, quantity)) {
      setWanted(1);
      cartOpen.set(true);
    }
  }
  return (
    <div className="buy">
      {canBuy ? (
        <div className="buy-row">
          <Quantity value={quantity} most={Math.min(MOST, variant.available)} label="Quantity" onChange={setWanted} />
          <Button className="buy-button" busy={busy} onClick={() => void put()}>
            Add to cart
          </Button>
        </div>
      ) : product.status === 'ACTIVE' ? (
        <NotifyMe variantId={variant.id} />
      ) : (
        <Notice>This product is not on sale any more.</Notice>
      )}
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
    </div>
  );
}
