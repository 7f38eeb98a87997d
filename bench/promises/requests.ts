import { rowsOf } from '../../tests/support/books.ts';
import { makeProduct } from '../../tests/support/fixtures.ts';
import { createClient } from '../../tests/support/client.ts';
import { median, timed, type Claim } from './claim.ts';
import type { Place } from './place.ts';

const ROUND_MS = 3_000;
const ROUNDS = 5;
const SHOPPERS = 4;
const WAITING = 100_000;
const UNITS = 50;
const BATCH_EVERY_MS = 1_000;
const MAX_SLOWER = 1.5;

const PRODUCTS = '{ products(first: 20) { nodes { title variants { sku available price { amount } } } } }';
const ADD = `mutation BenchAdd($sku: String!) {
  cartLinesAdd(input: { lines: [{ sku: $sku, quantity: 1 }] }) { cart { token } errors { code } } }`;

/** What requests take while fifty people a second are notified by email, compared with what they take alone. */
export async function measureBesideAlerts(place: Place): Promise<Claim> {
  const url = await place.newDatabase();
  const shop = await place.openShop(url, { STOCK_ALERT_BATCH_SECONDS: '86400' });
  try {
    const { variants } = await makeProduct(shop, { variants: [{ onHand: UNITS }, { onHand: 1_000_000 }] });
    const [waited, sold] = variants;
    if (waited === undefined || sold === undefined) throw new Error('there is no variant');
    await rowsOf(
      shop.db,
      `INSERT INTO stock_alerts (id, variant_id, email, created_at)
       SELECT gen_random_uuid(), $1, 'waiter-' || n || '@example.com', clock_timestamp() FROM generate_series(1, $2::int) AS n`,
      [waited.id, WAITING],
    );
    await rowsOf(
      shop.db,
      'INSERT INTO stock_alert_chains (variant_id, started_at, next_batch_at) VALUES ($1, clock_timestamp(), clock_timestamp())',
      [waited.id],
    );
    const rest = async () => {
      while ((await rowsOf(shop.db, `SELECT FROM mails WHERE status = 'PENDING' LIMIT 1`)).length > 0)
        await new Promise((resolve) => setTimeout(resolve, 20));
    };
    const measure = async () => {
      const took: number[] = [];
      const end = performance.now() + ROUND_MS;
      const visit = async () => {
        while (performance.now() < end) {
          const client = createClient(shop.url);
          took.push(await timed(() => client.data(PRODUCTS)));
          took.push(await timed(() => client.data(ADD, { sku: sold.sku })));
        }
      };
      await Promise.all(Array.from({ length: SHOPPERS }, visit));
      return median(took);
    };
    let batches = 0;
    const beside = async () => {
      const notify = async () => {
        await rowsOf(shop.db, 'UPDATE stock_alert_chains SET next_batch_at = clock_timestamp() WHERE variant_id = $1', [
          waited.id,
        ]);
        await shop.services.stockAlerts.notifyNext(waited.id);
        batches += 1;
      };
      const timer = setInterval(() => void notify(), BATCH_EVERY_MS);
      try {
        void notify();
        return await measure();
      } finally {
        clearInterval(timer);
      }
    };
    await measure();
    const ratios: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      await rest();
      const alone = round % 2 === 0 ? await measure() : null;
      const with_ = await beside();
      await rest();
      ratios.push(with_ / (alone ?? (await measure())));
    }
    const ratio = median(ratios);
    return {
      name: `while people are notified that a variant is back, requests take less than ${MAX_SLOWER} times as long`,
      passed: ratio < MAX_SLOWER,
      detail: `${ratio.toFixed(2)} (${ratios.map((value) => value.toFixed(2)).join(', ')}; ${batches} batches of ${UNITS})`,
    };
  } finally {
    await shop.dispose();
  }
}

const LOGINS = 6;
const COST = '10';

/** How long a log-in takes must not reveal whether the address or the password was wrong. */
export async function measureLogIns(place: Place): Promise<Claim> {
  const shop = await place.openShop(await place.newDatabase(), { BCRYPT_COST: COST });
  const LOGIN = `mutation BenchLogin($email: String!) {
    login(input: { email: $email, password: "another password" }) { errors { code } } }`;
  try {
    await createClient(shop.url).data(
      `mutation { register(input: { email: "ada@example.com", password: "a good long password", name: "Ada" }) { errors { code } } }`,
    );
    const spans: { known: number[]; unknown: number[] } = { known: [], unknown: [] };
    for (let round = 0; round < LOGINS; round += 1) {
      spans.known.push(await timed(() => createClient(shop.url).data(LOGIN, { email: 'ada@example.com' })));
      spans.unknown.push(
        await timed(() => createClient(shop.url).data(LOGIN, { email: `nobody-${round}@example.com` })),
      );
    }
    const ratio = median(spans.unknown) / median(spans.known);
    return {
      name: 'a log-in takes as long for an unknown address as for a known one',
      passed: ratio > 0.5 && ratio < 2,
      detail: `${ratio.toFixed(2)} times; ${median(spans.known).toFixed(0)} ms with bcrypt at cost ${COST}`,
    };
  } finally {
    await shop.dispose();
  }
}
