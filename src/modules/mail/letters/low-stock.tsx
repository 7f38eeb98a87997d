import { instantInWords } from '../letter-text.ts';
import type { ProductView } from '../letter-views.ts';
import { Layout, type Frame } from './layout.tsx';
import { Action, Paragraph, Product } from './parts.tsx';

/** Something in somebody's cart runs low. */
export function LowStock(props: { frame: Frame; product: ProductView; keptUntil: Date; cartUrl: string | null }) {
  const { frame, product, keptUntil, cartUrl } = props;
  return (
    <Layout
      frame={frame}
      title="Almost sold out"
      preview={`${product.title} is almost sold out`}
      why={`You receive this email because the item is in your cart at ${frame.shopName}.`}
    >
      <Paragraph>An item in your cart is almost sold out:</Paragraph>
      <Product product={product} />
      <Paragraph>Your cart is reserved for you until {instantInWords(keptUntil)}.</Paragraph>
      {cartUrl === null ? null : <Action href={cartUrl}>Go to your cart</Action>}
    </Layout>
  );
}
