import { parseArgs } from 'node:util';
import { seedManyProducts } from '../../prisma/seed/many-products.ts';
import { connect, PATIENT } from '../infra/postgres/connection.ts';
import { withDatabase } from './with-database.ts';

// `npm run seed -- --products N` fills the shop's catalogue with sample products, for measurements and for trying a large shop.

const USAGE = `Usage: npm run seed -- --products N [--stock UNITS]

  --products  number of sample products that the shop has afterwards, 1 to 1,000,000
  --stock     units of each variant, 0 to 1,000,000 (default 40)

Products are the same in every run. Those that exist are left as they are, so an interrupted run can be repeated.`;

class UsageError extends Error {}

function wholeNumber(text: string | undefined, least: number): number {
  const value = Number(text);
  if (text === undefined || !/^\d+$/.test(text) || value < least || value > 1_000_000) throw new UsageError(USAGE);
  return value;
}

function readOptions(): { products: number; stock: number } {
  try {
    const { values } = parseArgs({
      options: { products: { type: 'string' }, stock: { type: 'string', default: '40' } },
    });
    return { products: wholeNumber(values.products, 1), stock: wholeNumber(values.stock, 0) };
  } catch {
    throw new UsageError(USAGE);
  }
}

try {
  const wanted = readOptions();
  await withDatabase(async (_, place) => {
    const client = await connect({ ...place.direct, limits: PATIENT, name: 'vitrine seed' });
    try {
      const created = await seedManyProducts(client, wanted, (done) => {
        if (done % 10_000 === 0) console.log(`${done} of ${wanted.products} products`);
      });
      await client.query('ANALYZE products, product_variants');
      console.log(`Created ${created} of ${wanted.products} sample products.`);
    } finally {
      await client.end();
    }
  });
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
