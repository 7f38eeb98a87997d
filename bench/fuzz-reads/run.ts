import type { App } from '../../src/app.ts';
import { decodeCursor } from '../../src/events/cursor.ts';
import { createRandom, type Random } from '../fuzz/random.ts';
import { someQuery, type Query } from './queries.ts';
import { change, fillShelf, stir, type Watched } from './shelf.ts';

/*
 * Reads of nodes that keep answers, while others write. Each answer carries its position in the log. When the writers rest, the log
 * says what had happened up to there, and the answer must contain all of it; and then each node must answer whatever it is asked
 * as a node without memory does, to the letter.
 */

export interface Options {
  /** Nodes that keep answers. */
  nodes: readonly App[];
  /** A node of the same shop that keeps none. */
  plain: App;
  seed: number;
  /** Answers to check. */
  reads: number;
  /** Logs somebody of the staff in. @returns headers with the access token, which ends after 15 minutes */
  logIn: () => Promise<Record<string, string>>;
  onProgress?: (reads: number) => void;
}

/** Something that was seen, to be compared with the log. */
interface Seen {
  cursor: number;
  history: readonly string[];
  subject: string;
  type: string;
  value: string;
  where: string;
}

interface ProductSeen {
  slug: string;
  title: string;
  status: string;
  variants: { sku: string; available: number; price: { amount: string } }[];
}

const READERS = 6;
const READS_OF_A_BURST = 60;
const CHECKS_AT_REST = 20;
/** Less than an access token lasts. */
const LOG_IN_EVERY_MS = 5 * 60_000;

/** @returns what was wrong; nothing at all, if all is well */
export async function fuzzReads(options: Options): Promise<string[]> {
  const { nodes, plain, seed, reads, logIn, onProgress = () => {} } = options;
  const wrong: string[] = [];
  const shelf = await fillShelf(plain, 8);
  const bySlug = new Map(shelf.map((product) => [product.slug, product]));
  let done = 0;
  let stirred = 0;
  let staff: Record<string, string> = {};
  let loggedInAt = -Infinity;

  function look(seen: Seen[], cursor: number, product: ProductSeen, where: string): void {
    const watched = bySlug.get(product.slug);
    if (watched === undefined) return;
    const { id, titles, prices, variant } = watched;
    const of = { cursor, where };
    seen.push({ ...of, subject: id, type: 'product_changed', history: titles, value: product.title });
    const [found] = product.variants;
    if (found === undefined) return;
    seen.push({ ...of, subject: id, type: 'product_changed', history: prices, value: found.price.amount });
    const level = { subject: variant.id, type: 'stock_changed', history: variant.levels };
    seen.push({ ...of, ...level, value: String(found.available) });
  }

  async function readOnce(node: App, random: Random, seen: Seen[]): Promise<void> {
    const query = someQuery(shelf, random);
    const asStaff = random.chance(0.1);
    const where = `${asStaff ? 'staff, ' : ''}${JSON.stringify(query.variables)} at ${node.url}`;
    const data = await ask(node.url, query, asStaff ? staff : {});
    done += 1;
    const cursor = decodeCursor(String(data.eventCursor))?.seq;
    if (cursor === undefined) {
      wrong.push(`no position in the log: ${where}`);
      return;
    }
    for (const product of productsIn(data)) {
      // The product of a variant is read after the variant: it may have become a draft in between, with or without a memory.
      const atOnce = !('productVariant' in data);
      if (!asStaff && atOnce && product.title.endsWith('DRAFT')) wrong.push(`a draft was shown: ${where}`);
      look(seen, cursor, product, where);
    }
  }

  /** Who changes a product on a node and then asks the node sees the change. */
  async function write(node: App, product: Watched, random: Random): Promise<void> {
    await change(node, product, random);
    const [title, level] = [product.titles.at(-1) ?? '', product.variant.levels.at(-1) ?? ''];
    const query =
      'query Own($slug: String!) { product(slug: $slug) { slug title status variants { sku available price { amount } } } }';
    const data = await ask(node.url, { query, variables: { slug: product.slug } }, {});
    done += 1;
    const found = data.product as ProductSeen | null;
    if (title.endsWith('DRAFT') !== (found === null)) wrong.push(`own change of status not seen: ${title}`);
    if (found === null) return;
    const [variant] = found.variants;
    const seen = [found.title, variant?.price.amount, String(variant?.available)];
    const now = [title, product.prices.at(-1), level];
    if (JSON.stringify(seen) !== JSON.stringify(now))
      wrong.push(`own change not seen: ${seen.join()} instead of ${now.join()}`);
  }

  async function burst(number: number): Promise<Seen[]> {
    const seen: Seen[] = [];
    const writers = nodes.map(async (node, index) => {
      const random = createRandom(seed, 1000 * number + index);
      const own = shelf.filter((_, place) => place % nodes.length === index);
      for (let n = 0; n < 6; n += 1) await write(node, random.pick(own), random);
      stirred += 1;
      await stir(node, random, stirred);
    });
    const readers = Array.from({ length: READERS }, async (_, index) => {
      const random = createRandom(seed, 1000 * number + 500 + index);
      for (let n = 0; n < READS_OF_A_BURST / READERS; n += 1) await readOnce(random.pick(nodes), random, seen);
    });
    await Promise.all([...writers, ...readers]);
    return seen;
  }

  /** Every value must be one that was true after all that had happened up to the answer's position. */
  async function compareWithLog(seen: readonly Seen[]): Promise<void> {
    const rows = await plain.db.query<{ seq: bigint; type: string; subject: string }>(
      {
        text: 'SELECT seq, type, subject_id AS subject FROM event_log WHERE subject_id = ANY($1::uuid[]) ORDER BY seq',
      },
      [shelf.flatMap(({ id, variant }) => [id, variant.id])],
    );
    const events = new Map<string, number[]>();
    for (const { seq, type, subject } of rows) {
      const key = `${type} ${subject}`;
      const known = events.get(key) ?? [];
      if (known.length === 0) events.set(key, known);
      known.push(Number(seq));
    }
    for (const { cursor, type, subject, history, value, where } of seen) {
      const past = (events.get(`${type} ${subject}`) ?? []).filter((seq) => seq <= cursor).length;
      if (history.slice(past).includes(value)) continue;
      wrong.push(`"${value}" is older than position ${cursor}, where it was "${history[past]}": ${where}`);
    }
  }

  async function compareAtRest(number: number): Promise<void> {
    const random = createRandom(seed, 1000 * number + 900);
    for (let n = 0; n < CHECKS_AT_REST; n += 1) {
      const query = someQuery(shelf, random);
      const right = JSON.stringify(await ask(plain.url, query, {}));
      for (const node of nodes) {
        const answer = JSON.stringify(await ask(node.url, query, {}));
        done += 1;
        if (answer !== right) wrong.push(`${JSON.stringify(query.variables)} at rest: ${answer} instead of ${right}`);
      }
    }
  }

  for (let number = 0; done < reads && wrong.length === 0; number += 1) {
    if (performance.now() - loggedInAt > LOG_IN_EVERY_MS) {
      staff = await logIn();
      loggedInAt = performance.now();
    }
    const seen = await burst(number);
    await untilAtRest([...nodes, plain]);
    await compareWithLog(seen);
    await compareAtRest(number);
    onProgress(done);
  }
  return wrong;
}

async function ask(url: string, body: Query, headers: Record<string, string>): Promise<Record<string, unknown>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as { data?: Record<string, unknown>; errors?: unknown };
  if (answer.errors !== undefined || answer.data == null) throw new Error(`${body.query}: ${JSON.stringify(answer)}`);
  return answer.data;
}

/** Every object of an answer that is a product. */
function productsIn(value: unknown): ProductSeen[] {
  if (typeof value !== 'object' || value === null) return [];
  const below = Object.values(value).flatMap(productsIn);
  return 'title' in value && 'variants' in value ? [value as ProductSeen, ...below] : below;
}

/** Waits until each node has every event that was committed. */
async function untilAtRest(apps: readonly App[]): Promise<void> {
  for (;;) {
    for (const app of apps) await app.relay.flush();
    const end = await apps[0]?.eventLog.end();
    if (apps.every(({ feed }) => feed?.position().seq === end?.seq && feed?.isCurrent() === true)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
