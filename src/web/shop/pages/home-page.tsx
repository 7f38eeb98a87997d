import { graphql } from '../../shared/graphql.ts';
import { useLive, usePage } from '../../shared/use-live.ts';

const HOME = graphql(`
  query HomePage {
    eventCursor(for: "HomePage")
    products(first: 12, sort: { key: NEWEST }) {
      nodes {
        id
        slug
        title
        variants {
          id
          available
        }
      }
    }
  }
`);

const STOCK = graphql(`
  subscription Stock($productIds: [ID!], $after: EventCursor) {
    stockChanged(productIds: $productIds, after: $after) {
      cursor
      variant {
        id
        available
        availableForSale
      }
    }
  }
`);

/** The front page. */
export function HomePage() {
  const [{ data }] = usePage(HOME, {});
  const products = data?.products?.nodes ?? [];
  useLive(STOCK, { variables: { productIds: products.map(({ id }) => id) }, after: data?.eventCursor });
  return (
    <main>
      <ul>
        {products.map(({ id, slug, title, variants }) => (
          <li key={id}>
            <a href={`/products/${slug}`}>{title}</a> {variants.reduce((sum, { available }) => sum + available, 0)}
          </li>
        ))}
      </ul>
    </main>
  );
}
