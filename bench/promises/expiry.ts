import { rowsOf } from '../../tests/support/books.ts';
import { makeProduct } from '../../tests/support/fixtures.ts';
import { fillCarts, fillOverdueCarts } from '../../tests/support/overdue-carts.ts';
import { openServices } from '../../tests/support/services.ts';
import { timed, until, type Claim } from './claim.ts';
import type { Place } from './place.ts';

const CARTS = 10_000;
const VARIANTS = 40;
const WITHIN_MS = 2_000;
const BY_JOB_WITHIN_MS = 10_000;

/** 10,000 carts past their deadline: how soon are their units back, by one process and by two at once? */
export async function measureExpiry(place: Place, processes: number): Promise<Claim> {
  const url = await place.newDatabase();
  const workers = Array.from({ length: processes }, () => openServices(url));
  const [first] = workers;
  if (first === undefined) throw new Error('there is no process');
  try {
    await fillOverdueCarts(first, CARTS, await variantIds(first));
    await Promise.all(workers.map((worker) => rowsOf(worker.db, 'SELECT')));
    let carts = 0;
    const ms = await timed(async () => {
      const released = await Promise.all(workers.map((worker) => worker.cart.expireOverdue()));
      carts = released.reduce((sum, share) => sum + share.carts, 0);
    });
    return {
      name: `${CARTS} overdue carts are expired within ${WITHIN_MS} ms by ${processes} at once`,
      passed: ms <= WITHIN_MS && carts === CARTS,
      detail: `${carts} carts in ${ms.toFixed(0)} ms`,
    };
  } finally {
    for (const worker of workers) await worker.dispose();
  }
}

/** 10,000 carts that are due in the same second of a shop that runs: how late are their units back? */
export async function measureExpiryOfShop(place: Place): Promise<Claim> {
  const url = await place.newDatabase();
  const services = openServices(url);
  const shop = await place.openShop(url);
  try {
    const { cartIds } = await fillCarts(services, CARTS, await variantIds(services));
    const [due] = await rowsOf<{ at: Date }>(
      services.db,
      `UPDATE carts SET expires_at = clock_timestamp() + interval '2 seconds' WHERE id = ANY($1::uuid[])
       RETURNING expires_at AS at`,
      [cartIds],
    );
    let back = Number.NaN;
    await until(async () => {
      const [row] = await rowsOf<{ held: number; now: Date }>(
        services.db,
        'SELECT sum(held)::int AS held, clock_timestamp() AS now FROM product_variants',
      );
      back = row?.now.getTime() ?? Number.NaN;
      return row?.held === 0;
    });
    const late = back - (due?.at.getTime() ?? Number.NaN);
    return {
      name: `${CARTS} carts of one second have their units back within ${BY_JOB_WITHIN_MS} ms in a shop that runs`,
      passed: late <= BY_JOB_WITHIN_MS,
      detail: `${late.toFixed(0)} ms after their deadline`,
    };
  } finally {
    await shop.dispose();
    await services.dispose();
  }
}

async function variantIds(services: Parameters<typeof fillCarts>[0]): Promise<string[]> {
  const { variants } = await makeProduct(services, {
    variants: Array.from({ length: VARIANTS }, () => ({ onHand: CARTS })),
  });
  return variants.map((variant) => variant.id);
}
