import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import pg from 'pg';

/*
 * What the shop is compared with: the queries of the catalogue as somebody would write them who needs nothing else. One SQL statement
 * a request, over the same tables, behind GraphQL Yoga with its own cache of parsed documents. No rights, no limits, no errors as data.
 * Prints its port.
 */

const pool = new pg.Pool({ connectionString: String(process.env.DATABASE_URL), max: 10 });

const VARIANTS = `COALESCE((
  SELECT json_agg(json_build_object('id', v.id, 'sku', v.sku, 'available', v.on_hand - v.held,
                                    'price', json_build_object('amount', v.price_minor / 100.0)) ORDER BY v.position, v.id)
    FROM product_variants v WHERE v.product_id = p.id AND v.archived_at IS NULL), '[]') AS variants`;

const LIST = `SELECT p.slug, p.title, ${VARIANTS} FROM products p
  WHERE p.status = 'ACTIVE' AND (p.created_at, p.id) < ($1::timestamptz, $2::uuid)
  ORDER BY p.created_at DESC, p.id DESC LIMIT $3`;

const ONE = `SELECT p.slug, p.title, ${VARIANTS} FROM products p WHERE p.status = 'ACTIVE' AND p.slug = $1`;

const schema = createSchema({
  typeDefs: /* GraphQL */ `
    type Money {
      amount: Float!
    }
    type ProductVariant {
      id: ID!
      sku: String!
      available: Int!
      price: Money!
    }
    type Product {
      slug: String!
      title: String!
      variants: [ProductVariant!]!
    }
    type ProductConnection {
      nodes: [Product!]!
    }
    type Query {
      products(first: Int!, after: String!): ProductConnection!
      product(slug: String!): Product
    }
  `,
  resolvers: {
    Query: {
      products: async (_: unknown, { first, after }: { first: number; after: string }) => {
        const [createdAt, id] = after.split('|');
        const { rows } = await pool.query({ name: 'list', text: LIST, values: [createdAt, id, first] });
        return { nodes: rows };
      },
      product: async (_: unknown, { slug }: { slug: string }) =>
        (await pool.query({ name: 'one', text: ONE, values: [slug] })).rows[0] ?? null,
    },
  },
});

const yoga = createYoga({ schema, logging: false, graphiql: false, maskedErrors: false });
const server = createServer((request, response) => void yoga(request, response));
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') console.log(address.port);
});
process.on('SIGTERM', () => process.exit(0));
