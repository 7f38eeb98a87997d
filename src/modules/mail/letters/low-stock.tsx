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
      title="Few are left"
      preview={`${product.title} is nearly gone`}
      why={`You get this mail because this is in your cart at ${frame.shopName}.`}
    >
      <Paragraph>Something in your cart is nearly sold out:</Paragraph>
      <Product product={product} />
      <Paragraph>What is in your cart is kept for you until {instantInWords(keptUntil)}.</Paragraph>
      {cartUrl === null ? null : <Action href={cartUrl}>Go to your cart</Action>}
    </Layout>
  );
}
