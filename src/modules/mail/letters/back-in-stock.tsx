import type { ProductView } from '../letter-views.ts';
import { Layout, type Frame } from './layout.tsx';
import { Action, Inline, Paragraph, Product, Quiet } from './parts.tsx';

/** A variant is back in stock. */
export function BackInStock({ frame, product, cancelUrl }: { frame: Frame; product: ProductView; cancelUrl: string }) {
  return (
    <Layout
      frame={frame}
      title={product.isAvailable ? 'Back in stock' : 'Sold out again'}
      preview={product.isAvailable ? `${product.title} is back in stock` : `${product.title} is sold out again`}
      why={`You receive this email because you asked ${frame.shopName} to notify you.`}
    >
      <Paragraph>
        {product.isAvailable
          ? 'The item you asked about is back in stock:'
          : 'The item you asked about was back in stock, but has already sold out again:'}
      </Paragraph>
      <Product product={product} />
      {product.url === null ? null : (
        <Action href={product.url}>{product.isAvailable ? 'Buy it now' : 'Notify me again'}</Action>
      )}
      <Quiet>
        We cannot reserve the item for you, and send this notice only once.{' '}
        <Inline href={cancelUrl}>Cancel this notice</Inline>
      </Quiet>
    </Layout>
  );
}
