import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { newPerson } from '../support/accounts.ts';
import { holdBarrier, watchLocks } from '../support/barriers.ts';
import { makeProduct } from '../support/fixtures.ts';
import { graphqlGet, openUnread } from '../support/raw-connection.ts';
import { createApiNode, type TestShop } from '../support/shop.ts';
import { until } from '../support/until.ts';

let shop: TestShop;
beforeAll(async () => {
  shop = await createApiNode();
});
afterAll(() => shop.dispose());

const post = (body: string | Buffer | Iterable<string | Buffer>, headers: Record<string, string | undefined> = {}) => {
  const sent = Object.entries({ 'content-type': 'application/json', ...headers }).filter(
    ([, value]) => value !== undefined,
  );
  return shop.request({ method: 'POST', path: '/graphql', headers: Object.fromEntries(sent), body });
};

interface ErrorBody {
  errors: { message: string; extensions: { code: string } }[];
}

describe('the body', () => {
  const LIMIT = 100_000;
  const start = '{"query":"{ __typename }","extensions":{"padding":"';
  const padded = (size: number) => `${start}${'x'.repeat(size - start.length - 3)}"}}`;

  test('may be as large as the limit', async () => {
    const answer = await post(padded(LIMIT));
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual({ data: { __typename: 'Query' } });
  });

  const tooLarge = {
    errors: [{ message: 'The request is larger than 100000 bytes.', extensions: { code: 'BAD_REQUEST' } }],
  };

  test('may be ten times as large with an access token, but not its document', async () => {
    const { accessToken } = await newPerson(shop);
    const authorization = `Bearer ${accessToken}`;
    const large = (size: number) => post(padded(size), { authorization });
    expect((await large(10 * LIMIT)).status).toBe(200);
    expect((await large(10 * LIMIT + 1)).status).toBe(413);
    const document = JSON.stringify({ query: `{ __typename } #${'x'.repeat(LIMIT)}` });
    expect((await post(document, { authorization })).status).toBe(413);
  });

  test('is refused where it says that it is larger', async () => {
    const answer = await post(padded(LIMIT + 1));
    expect(answer.status).toBe(413);
    expect(answer.json()).toEqual(tooLarge);
  });

  test('is refused where it turns out to be larger, as soon as it does', async () => {
    const { hostname, port } = new URL(shop.url);
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const req = request({ hostname, port, path: '/graphql', method: 'POST', headers, agent: false });
    req.write(start);
    // Never ended: only what does not wait for the end can answer.
    req.write('x'.repeat(LIMIT));
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    expect(res.statusCode).toBe(413);
    expect(await json(res)).toEqual(tooLarge);
    req.destroy();
  });

  test.each([
    ['arrays', '['.repeat(90_000)],
    ['objects', '{"a":'.repeat(18_000)],
    ['variables', `{"query":"{ __typename }","variables":{"a":${'['.repeat(70)}${']'.repeat(70)}}}`],
  ])('is refused unread where its %s are nested too deep', async (_what, body) => {
    const answer = await post(body);
    expect([answer.status, answer.json()]).toEqual([
      400,
      { errors: [{ message: 'The body is nested too deeply.', extensions: { code: 'BAD_REQUEST' } }] },
    ]);
  });

  test('may have brackets in its texts', async () => {
    const body = JSON.stringify({
      query: `query ($t: String) { order(accessToken: $t) { id } }`,
      variables: { t: '[{"\\'.repeat(100) },
    });
    expect((await post(body)).json()).toEqual({ data: { order: null } });
  });

  test('in chunks is taken where it is small enough', async () => {
    const answer = await post(['{"query":', '"{ __type', 'name }"}'], { 'transfer-encoding': 'chunked' });
    expect(answer.json()).toEqual({ data: { __typename: 'Query' } });
  });
});

describe('content types', () => {
  const QUERY = '{"query":"{ __typename }"}';

  test.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
    '%s is taken',
    async (type) => {
      expect((await post(QUERY, { 'content-type': type })).status).toBe(200);
    },
  );

  test.each([
    [undefined, QUERY],
    ['text/plain', QUERY],
    ['application/json-patch+json', QUERY],
    ['application/json; charset=utf-16', QUERY],
    ['application/graphql', '{ __typename }'],
    ['application/graphql+json', QUERY],
    ['application/x-www-form-urlencoded', 'query=%7B__typename%7D'],
    [
      'multipart/form-data; boundary=x',
      '--x\r\ncontent-disposition: form-data; name="query"\r\n\r\n{ __typename }\r\n--x--',
    ],
  ])('%s is not', async (type, body) => {
    const answer = await post(body, { 'content-type': type });
    expect(answer.status).toBe(415);
    expect((answer.json() as ErrorBody).errors[0]?.extensions).toEqual({ code: 'BAD_REQUEST' });
  });

  test('a compressed body is not: it would grow past the limit', async () => {
    expect((await post(QUERY, { 'content-encoding': 'gzip' })).status).toBe(415);
  });

  test('other methods get 405 with the list of allowed methods', async () => {
    const answer = await shop.request({ method: 'PUT', path: '/graphql' });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, POST']);
    expect((answer.json() as ErrorBody).errors[0]?.extensions).toEqual({ code: 'BAD_REQUEST' });
  });
});

describe('a request that is not GraphQL', () => {
  test.each([
    ['nothing', ''],
    ['half of an object', '{"query":'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['null', 'null'],
    ['a number', '7'],
    ['text', '"{ __typename }"'],
    ['a batch', '[{"query":"{ __typename }"}]'],
    ['an empty batch', '[]'],
    ['no document', '{}'],
    ['an empty document', '{"query":""}'],
    ['a document that is a number', '{"query":7}'],
    ['variables that are text', '{"query":"{ __typename }","variables":"x"}'],
    ['variables that are a list', '{"query":"{ __typename }","variables":[]}'],
    ['a name that is a number', '{"query":"{ __typename }","operationName":7}'],
    ['extensions that are a list', '{"query":"{ __typename }","extensions":[1]}'],
    ['an unknown member', '{"query":"{ __typename }","quarry":"x"}'],
    ['a name that no operation has', '{"query":"query A { __typename }","operationName":"B"}'],
    ['several operations and no name', '{"query":"query A { __typename } query B { __typename }"}'],
  ])('%s is a BAD_REQUEST', async (_name, body) => {
    const answer = await post(body);
    const { errors } = answer.json() as ErrorBody;
    expect(errors.map((error) => error.extensions)).toEqual([{ code: 'BAD_REQUEST' }]);
    expect(answer.status).toBe(400);
  });

  test.each(['variables', 'extensions'])('%s in a URL that are no JSON are one too', async (name) => {
    const answer = await shop.request({ path: `/graphql?query={__typename}&${name}=%7B` });
    expect(answer.status).toBe(400);
    expect(answer.json()).toEqual({
      errors: [{ message: `\`${name}\` is not valid JSON.`, extensions: { code: 'BAD_REQUEST' } }],
    });
  });

  test('a mutation by GET is refused, and does nothing', async () => {
    const answer = await shop.request({
      path: `/graphql?query=${encodeURIComponent('mutation { cartCreate { cart { id } } }')}`,
    });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'POST']);
    expect(await shop.db.query({ name: 'carts', text: 'SELECT FROM carts' })).toEqual([]);
  });
});

/** An offer of HTTP/2. */
const H2C = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQAAP__' };

test('a client that offers HTTP/2 with its request is answered in HTTP/1.1', async () => {
  // As Java's HttpClient and `curl --http2` do.
  const answer = await post('{"query":"{ __typename }"}', H2C);
  expect([answer.status, answer.json()]).toEqual([200, { data: { __typename: 'Query' } }]);
});

test('a connection whose requests all offer HTTP/2 gathers no listeners', async () => {
  const warnings: string[] = [];
  const hear = ({ message }: Error) => void warnings.push(message);
  process.on('warning', hear);
  onTestFinished(() => void process.off('warning', hear));
  const { socket } = await openUnread(shop.url, '');
  onTestFinished(() => void socket.destroy());
  let read = '';
  socket.on('data', (chunk: Buffer) => (read += chunk.toString('latin1'))).resume();
  for (let i = 1; i <= 15; i += 1) {
    socket.write(graphqlGet('{ __typename }', H2C));
    await until('it is answered', () => read.split('"__typename":"Query"').length === i + 1);
  }
  expect(warnings).toEqual([]);
});

test.each([
  ['HTTP/2', H2C],
  ['a WebSocket', { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }],
])(
  'an offer of %s behind requests that are not answered yet ends the connection, and nothing else',
  async (_, offer) => {
    await using locks = await watchLocks(shop.db);
    const barrier = await holdBarrier(shop.db, 'LOCK TABLE products IN ACCESS EXCLUSIVE MODE');
    const { socket, closed } = await openUnread(shop.url, graphqlGet('{ products { totalCount } }').repeat(2));
    onTestFinished(() => void socket.destroy());
    await until('both wait', async () => (await locks.waiters()).length === 2);
    let read = '';
    socket.on('data', (chunk: Buffer) => (read += chunk.toString('latin1'))).resume();
    socket.write(graphqlGet('{ __typename }', offer));
    await closed;
    await barrier.release();
    expect(read).toBe('');
    expect((await post('{"query":"{ __typename }"}')).status).toBe(200);
  },
);

test('a document is a document, whatever it ends with', async () => {
  // Yoga would take a URL that ends so for a look at its health.
  const answer = await shop.request({ path: '/graphql?query=/health' });
  expect((answer.json() as ErrorBody).errors[0]?.extensions).toEqual({ code: 'GRAPHQL_PARSE_FAILED' });
});

describe('documents and variables', () => {
  const STRICT = { accept: 'application/graphql-response+json' };
  const ask = async (query: string, variables?: unknown, headers: Record<string, string> = STRICT) => {
    const answer = await post(JSON.stringify({ query, variables }), headers);
    return { status: answer.status, ...(answer.json() as ErrorBody) };
  };

  test('a document that is none', async () => {
    for (const headers of [STRICT, {}]) {
      const { errors } = await ask('{ shop ', undefined, headers);
      expect(errors[0]?.extensions).toEqual({ code: 'GRAPHQL_PARSE_FAILED' });
    }
    expect((await ask('{ shop ')).status).toBe(400);
  });

  test('a document that does not fit the schema names what is wrong', async () => {
    const { status, errors } = await ask('{ shop { nam } }');
    expect(status).toBe(400);
    expect(errors).toMatchObject([
      {
        message: 'Cannot query field "nam" on type "Shop". Did you mean "name"?',
        extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
      },
    ]);
  });

  test('a variable that the document does not declare', async () => {
    const { status, errors } = await ask('{ product(slug: $slug) { id } }');
    expect([status, errors[0]?.message, errors[0]?.extensions.code]).toEqual([
      400,
      'Variable "$slug" is not defined.',
      'GRAPHQL_VALIDATION_FAILED',
    ]);
  });

  test('a variable that was sent and that the operation does not know', async () => {
    const { status, errors } = await ask('query ($slug: String) { product(slug: $slug) { id } }', { slgu: 'x' });
    expect(status).toBe(400);
    expect(errors).toEqual([
      { message: 'Variable "$slgu" is not declared by the operation.', extensions: { code: 'BAD_REQUEST' } },
    ]);
  });

  const ADD = 'mutation ($input: CartLinesAddInput!) { cartLinesAdd(input: $input) { cart { id } errors { code } } }';

  test.each([
    ['missing', {}, 'Variable "$input" of required type "CartLinesAddInput!" was not provided.'],
    ['null', { input: null }, 'Variable "$input" of non-null type "CartLinesAddInput!" must not be null.'],
    [
      'of another type',
      { input: 7 },
      'Variable "$input" got invalid value 7; Expected type "CartLinesAddInput" to be an object.',
    ],
    [
      'with a number that is none',
      { input: { lines: [{ sku: 'X', quantity: 'two' }] } },
      'Variable "$input" got invalid value "two" at "input.lines[0].quantity"; Int cannot represent non-integer value: "two"',
    ],
    [
      'with a number that is too large',
      { input: { lines: [{ sku: 'X', quantity: 2 ** 31 }] } },
      'Variable "$input" got invalid value 2147483648 at "input.lines[0].quantity"; Int cannot represent non 32-bit signed integer value: 2147483648',
    ],
    [
      'with a field that there is not',
      { input: { lines: [{ sku: 'X', quantity: 1, price: 0 }] } },
      'Variable "$input" got invalid value { sku: "X", quantity: 1, price: 0 } at "input.lines[0]"; Field "price" is not defined by type "CartLineInput".',
    ],
  ])('a variable that is %s', async (_name, variables, message) => {
    const { status, errors } = await ask(ADD, variables);
    expect(errors).toMatchObject([{ message, extensions: { code: 'BAD_REQUEST' } }]);
    expect(errors[0]?.extensions).toEqual({ code: 'BAD_REQUEST' });
    expect(status).toBe(400);
    // Clients that accept plain JSON alone get 200 with the same errors, as the audits want it; never a 500.
    expect((await ask(ADD, variables, {})).status).toBe(200);
  });

  test('a scalar of ours says what it expects', async () => {
    const { status, errors } = await ask(
      'query ($price: Decimal) { products(filter: { minPrice: $price }) { nodes { id } } }',
      { price: 'cheap' },
    );
    expect([status, errors[0]?.extensions.code]).toEqual([400, 'BAD_REQUEST']);
    expect(errors[0]?.message).toContain('Decimal must be a decimal number as a string');
  });

  test('text as long as a request may be does not come back in the message', async () => {
    const { status, errors } = await ask('query ($first: Int) { products(first: $first) { nodes { id } } }', {
      first: 'x'.repeat(90_000),
    });
    expect([status, errors[0]?.extensions.code]).toEqual([400, 'BAD_REQUEST']);
    expect(errors[0]?.message.length).toBeLessThan(1100);
  });

  test('none of these requests changed a row', async () => {
    const product = await makeProduct(shop.app, { variants: [{ sku: 'KEPT', onHand: 5 }] });
    await ask(ADD, { input: { lines: [{ sku: 'KEPT', quantity: 1.5 }] } });
    await ask(ADD, { input: { lines: [{ sku: 'KEPT', quantity: 1 }] }, also: 1 });
    const [variant] = await shop.db.query<{ held: number }>(
      { name: 'held', text: 'SELECT held FROM product_variants WHERE id = $1' },
      [product.variants[0]?.id],
    );
    expect(variant).toEqual({ held: 0 });
    expect(await shop.db.query({ name: 'guests', text: 'SELECT FROM guests' })).toEqual([]);
  });
});
