import { seedManyProducts } from '../../prisma/seed/many-products.ts';
import { connect, PATIENT } from '../infra/postgres/connection.ts';
import { defineCommand, print, runIfMain, UsageError } from './command.ts';
import { withDatabase } from './with-database.ts';

const USAGE = `Usage: npm run seed -- --products N [--stock UNITS]

Fills the catalog with sample products, for measurements and for trying a large shop.

  --products  number of sample products that the shop has afterwards, 1 to 1,000,000
  --stock     units of each variant, 0 to 1,000,000 (default 40)

Products are the same in every run. Those that exist are left as they are, so an interrupted run can be repeated.`;

function wholeNumber(text: string | undefined, least: number): number {
  const value = Number(text);
  if (text === undefined || !/^\d+$/.test(text) || value < least || value > 1_000_000) throw new UsageError();
  return value;
}

export const seed = defineCommand({
  usage: USAGE,
  options: { products: { type: 'string' }, stock: { type: 'string', default: '40' } },
  failure: 2,
  async run({ values }, context) {
    const wanted = { products: wholeNumber(values.products, 1), stock: wholeNumber(values.stock, 0) };
    await withDatabase(context, async (_, place) => {
      const client = await connect({ ...place.direct, limits: PATIENT, name: 'vitrine seed' });
      try {
        const created = await seedManyProducts(client, wanted, (done) => {
          if (done % 10_000 === 0) print(context.stderr, `${done} of ${wanted.products} products`);
        });
        await client.query('ANALYZE products, product_variants');
        print(context.stdout, `Created ${created} of ${wanted.products} sample products.`);
      } finally {
        await client.end();
      }
    });
  },
});

await runIfMain(import.meta.url, seed);
