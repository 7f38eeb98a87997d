import type { ProductView } from '../letter-views.ts';
import { Layout, type Frame } from './layout.tsx';
import { Action, Inline, Paragraph, Product, Quiet } from './parts.tsx';

/** What somebody waited for can be bought again. */
export function BackInStock({ frame, product, cancelUrl }: { frame: Frame; product: ProductView; cancelUrl: string }) {
  return (
    <Layout
      frame={frame}
      title={product.isAvailable ? 'Back in stock' : 'It was back, and is gone again'}
      preview={product.isAvailable ? `${product.title} is back` : `${product.title} is gone again`}
      why={`You get this mail because you asked ${frame.shopName} to be told.`}
    >
      <Paragraph>
        {product.isAvailable
          ? 'What you waited for is back:'
          : 'What you waited for came back, and was sold out at once:'}
      </Paragraph>
      <Product product={product} />
      {product.url === null ? null : (
        <Action href={product.url}>{product.isAvailable ? 'Buy it now' : 'Ask to be told again'}</Action>
      )}
      <Quiet>
        We keep none for you, and tell you this once. <Inline href={cancelUrl}>I do not wait for it any more</Inline>
      </Quiet>
    </Layout>
  );
}
