import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { graphql } from '../../generated/gql/index.ts';
import { makeProduct } from '../../support/fixtures.ts';
import { known } from '../../support/known.ts';
import { openQuietShop, type QuietShop } from '../../support/quiet-shop.ts';
import { sized } from '../../support/sizes.ts';

// Titles and searches are parted into words by one rule, so that every title finds its product.

let shop: QuietShop;
beforeAll(async () => {
  shop = await openQuietShop();
});
afterAll(() => shop.dispose());

const Found = graphql(`
  query FoundByWords($filter: ProductFilter!) {
    products(filter: $filter, first: 100) {
      totalCount
      totalCountPrecision
      nodes {
        id
        title
      }
    }
  }
`);

async function find(search: string, tag: string) {
  return known((await shop.client().data(Found, { filter: { search, tags: [tag] } })).products);
}

async function titlesFound(search: string, tag: string): Promise<string[]> {
  return (await find(search, tag)).nodes.map(({ title }) => title);
}

describe('a product is found', () => {
  const titles = [
    'Flour 3㎏ bag',
    '½ kg sugar №7',
    '1½ inch pipe',
    'AT&T phone card',
    'The The',
    'Nutella™ jar',
    'Vitamin B₁₂',
    '有機蜂蜜ギフトセット500g',
    '国産はちみつ',
    'น้ำผึ้งป่าแท้',
    'ນໍ້າເຜິ້ງ',
    '유기농 벌꿀선물세트',
    'عَسَلٌ طَبِيعِيٌّ',
    'دِقَّة ١٢٣',
    'דְּבַשׁ טָהוֹר',
    'Øresund Æbler Łódź Straße',
    'ΜΈΛΙ ΑΝΘΈΩΝ',
    'МЁД ГОРНЫЙ',
    'हिन्दी शहद',
    'Ｆｕｌｌ Ｗｉｄｔｈ',
    '!!!',
    '🍯',
  ];
  beforeAll(async () => {
    for (const title of titles) await makeProduct(shop, { title, tags: ['scripts'] });
  });

  test.each(titles)('by its title: %s', async (title) => {
    expect(await titlesFound(title, 'scripts')).toContain(title);
    expect(await titlesFound(title.normalize('NFD'), 'scripts')).toContain(title);
    expect(await titlesFound(title.toLowerCase(), 'scripts')).toContain(title);
  });

  test.each([
    ['3㎏ bag', 'Flour 3㎏ bag'],
    ['3kg', 'Flour 3㎏ bag'],
    ['3 kg flour', 'Flour 3㎏ bag'],
    ['7', '½ kg sugar №7'],
    ['no 7', '½ kg sugar №7'],
    ['½ sugar', '½ kg sugar №7'],
    ['½', '1½ inch pipe'],
    ['1 1/2', '1½ inch pipe'],
    ['at&t', 'AT&T phone card'],
    ['AT&T phone', 'AT&T phone card'],
    ['the', 'The The'],
    ['nutella jar', 'Nutella™ jar'],
    ['b12', 'Vitamin B₁₂'],
    ['蜂蜜', '有機蜂蜜ギフトセット500g'],
    ['蜜ギフ', '有機蜂蜜ギフトセット500g'],
    ['セット', '有機蜂蜜ギフトセット500g'],
    ['蜂', '有機蜂蜜ギフトセット500g'],
    ['ｷﾞﾌﾄ', '有機蜂蜜ギフトセット500g'],
    ['500', '有機蜂蜜ギフトセット500g'],
    ['ちみ', '国産はちみつ'],
    ['ผึ้ง', 'น้ำผึ้งป่าแท้'],
    ['ป่า', 'น้ำผึ้งป่าแท้'],
    ['ເຜິ້ງ', 'ນໍ້າເຜິ້ງ'],
    ['선물', '유기농 벌꿀선물세트'],
    ['عسل', 'عَسَلٌ طَبِيعِيٌّ'],
    ['طبيعي', 'عَسَلٌ طَبِيعِيٌّ'],
    ['عـــسل', 'عَسَلٌ طَبِيعِيٌّ'],
    ['123', 'دِقَّة ١٢٣'],
    ['דבש', 'דְּבַשׁ טָהוֹר'],
    ['oresund', 'Øresund Æbler Łódź Straße'],
    ['aebler', 'Øresund Æbler Łódź Straße'],
    ['lodz strasse', 'Øresund Æbler Łódź Straße'],
    ['μελι', 'ΜΈΛΙ ΑΝΘΈΩΝ'],
    ['мед', 'МЁД ГОРНЫЙ'],
    ['शहद', 'हिन्दी शहद'],
    ['full width', 'Ｆｕｌｌ Ｗｉｄｔｈ'],
  ])('by %s: %s', async (search, title) => {
    expect(await titlesFound(search, 'scripts')).toContain(title);
  });

  test.each(['蜜蜂', 'トギフ', 'ป่าน้ำ', '선벌꿀'])('by nothing that it does not say: %s', async (search) => {
    expect(await titlesFound(search, 'scripts')).toEqual([]);
  });
});

describe('descriptions', () => {
  test('are searched without their HTML', async () => {
    await makeProduct(shop, {
      title: 'Markup',
      description: '<p class="intro">Thick&nbsp;蜂蜜 <strong>comb</strong></p>',
      tags: ['html'],
    });
    for (const search of ['comb', 'thick', '蜂蜜']) expect(await titlesFound(search, 'html')).toEqual(['Markup']);
    for (const search of ['class', 'strong', 'nbsp']) expect(await titlesFound(search, 'html')).toEqual([]);
  });
});

test('every title finds its product, by its words and by any part of a word without spaces', async () => {
  const pick = (...items: string[]) => fc.constantFrom(...items);
  const range = (from: number, to: number) =>
    fc.integer({ min: from, max: to }).map((code) => String.fromCodePoint(code));
  const letter = fc.oneof(
    range(0x61, 0x7a),
    range(0x41, 0x5a),
    range(0x30, 0x39),
    range(0xc0, 0x24f),
    range(0x391, 0x3a1),
    range(0x410, 0x44f),
    range(0x5d0, 0x5ea),
    range(0x621, 0x63a),
    pick('é', 'ß', 'İ', 'ı', 'ﬁ', 'ŉ', '㎏', '№', '½', '①', '²', '™', '\u064e', '\u05b8', '\u0301'),
  );
  const run = fc.string({
    unit: fc.oneof(
      range(0x4e00, 0x4f00),
      range(0x3041, 0x3096),
      range(0x30a1, 0x30fa),
      range(0xe01, 0xe2e),
      range(0xac00, 0xad00),
    ),
    minLength: 1,
    maxLength: 6,
  });
  const sign = pick(' ', ' ', ' ', '-', '&', '/', "'", '’', '.', '_', '🍯', '\\', '"', ':*', '(', '|', '\u200b', '、');
  const word = fc.oneof({ weight: 3, arbitrary: fc.string({ unit: letter, minLength: 1, maxLength: 7 }) }, run);
  const title = fc.array(fc.tuple(word, sign), { minLength: 1, maxLength: 6 });
  const visible = /[\p{L}\p{N}]/u;
  let count = 0;

  await fc.assert(
    fc.asyncProperty(title, fc.nat(), async (parts, seed) => {
      const text = parts.flat().join('').trim();
      fc.pre(visible.test(text));
      const tag = `property-${(count += 1)}`;
      const { globalId } = await makeProduct(shop, { title: text, tags: [tag] });
      const expectFound = async (search: string) => {
        const { nodes } = await find(search, tag);
        expect({ search, found: nodes.map(({ id }) => id) }).toEqual({ search, found: [globalId] });
      };
      await expectFound(text);
      const runs = text.match(/[\u4e00-\u4f00]+|[\u3041-\u3096]+|[\u0e01-\u0e2e]+|[\uac00-\ud7a3]+/gu) ?? [];
      const sought = runs[seed % Math.max(runs.length, 1)];
      if (sought !== undefined) {
        const from = seed % sought.length;
        await expectFound(sought.slice(from, from + 1 + (seed % 3)));
      }
      const words = text.split(' ').filter((one) => visible.test(one));
      await expectFound(words[seed % words.length] ?? text);
    }),
    { numRuns: sized({ inCi: 120, daily: 40 }) },
  );
});

describe('stop words', () => {
  /** The notices that PostgreSQL sends to this process meanwhile. */
  async function notices(work: () => Promise<unknown>): Promise<string[]> {
    const sent: string[] = [];
    const real = pg.Client.prototype.emit;
    pg.Client.prototype.emit = function emit(this: pg.Client, event: string | symbol, ...args: unknown[]) {
      if (event === 'notice') sent.push(String((args[0] as { message?: unknown }).message));
      return Reflect.apply(real, this, [event, ...args]);
    };
    try {
      await work();
    } finally {
      pg.Client.prototype.emit = real;
    }
    return sent;
  }

  test.each(['the', 'a', 's', 'a s the', 'it is', 'the the the the', 'THE  a'])(
    'alone (%s) cause no notice',
    async (search) => {
      await makeProduct(shop, { title: 'Jar without small words', tags: ['stop-words'] });
      expect(await notices(() => find(search, 'stop-words'))).toEqual([]);
    },
  );

  test('alone are looked for as they are written, and among others do not count', async () => {
    await makeProduct(shop, { title: 'It', tags: ['only-stop-words'] });
    await makeProduct(shop, { title: 'Honey', tags: ['only-stop-words'] });
    expect(await titlesFound('it', 'only-stop-words')).toEqual(['It']);
    expect(await titlesFound('it is', 'only-stop-words')).toEqual([]);
    expect(await titlesFound('the honey', 'only-stop-words')).toEqual(['Honey']);
  });

  test('are worked out once for a statement, whatever the number of products', async () => {
    const [row] = await shop.db.query<{ volatility: string }>({
      text: `SELECT string_agg(DISTINCT provolatile::text, '') AS volatility FROM pg_proc
              WHERE proname IN ('search_query', 'search_match', 'search_finished', 'search_terms')`,
    });
    expect(row).toEqual({ volatility: 'i' });
    const plan = await shop.db.query<{ 'QUERY PLAN': string }>(
      { text: 'EXPLAIN (VERBOSE) SELECT FROM products p WHERE p.search @@ search_match($1::text)' },
      ['the'],
    );
    const text = plan.map((line) => line['QUERY PLAN']).join('\n');
    expect(text).toContain(`'''the'':*'::tsquery`);
    expect(text).not.toContain('search_match');
  });
});

describe('what the index of words is asked for', () => {
  const WORDS = [
    'organic',
    'organi',
    'organ',
    'running',
    'runs',
    'the',
    'is',
    't',
    'b12',
    '12',
    'café',
    '有機蜂蜜',
    '蜂',
    '蜜ギ',
    'น้ำ',
    'œuf',
    'a',
  ];

  test('finds what a search ranks, and the finished words find at least that', async () => {
    const searches = WORDS.flatMap((first) => ['', ...WORDS, 'the organic'].map((then) => `${first} ${then}`));
    const [row] = await shop.db.query<{ compared: number; found: number; wrong: string[] }>(
      {
        text: `SELECT count(*)::int AS compared, (count(*) FILTER (WHERE ranked))::int AS found,
                      coalesce(array_agg(text || ' / ' || search) FILTER (WHERE ranked IS DISTINCT FROM matched OR (ranked AND finished IS FALSE)), '{}') AS wrong
                 FROM (SELECT d.text, s.search, document @@ search_query(s.search) AS ranked, document @@ search_match(s.search) AS matched,
                              document @@ search_finished(s.search) AS finished
                         FROM (SELECT text, search_document(search_terms(text)) AS document FROM unnest($1::text[]) AS text OFFSET 0) AS d,
                              unnest($2::text[]) AS s(search)) AS compared`,
      },
      [searches.filter((_, index) => index % 3 === 0), searches],
    );
    expect(row?.wrong).toEqual([]);
    expect(row?.compared).toBeGreaterThan(30_000);
    expect(row?.found).toBeGreaterThan(2000);
  });

  test('names a word once where its stem begins as the word does', async () => {
    const [row] = await shop.db.query({
      text: `SELECT search_match('blue jar')::text AS once, search_match('jars')::text AS twice, search_finished('blue jar')::text AS finished,
                    search_finished('the jar')::text AS none`,
    });
    expect(row).toEqual({ once: `'blue' & 'jar':*`, twice: `'jars':* | 'jar'`, finished: `'blue'`, none: null });
  });

  test('is kept sorted but for a little', async () => {
    const [row] = await shop.db.query<{ indexes: number }>({
      text: `SELECT count(*)::int AS indexes FROM pg_class
              WHERE relname IN ('products_search_idx', 'products_search_title_idx', 'orders_search_idx', 'users_search_idx')
                AND reloptions @> ARRAY['gin_pending_list_limit=256']`,
    });
    expect(row).toEqual({ indexes: 4 });
  });
});
