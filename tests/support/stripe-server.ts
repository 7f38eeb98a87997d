import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Stripe } from 'stripe';
import { StripeBooks, StripeFault, type Intent, type StripeEvent } from './stripe-books.ts';

/*
 * A stand-in for Stripe's API on this machine, as far as the shop uses it: form-encoded requests, idempotency keys, `expand`, lists with
 * pages, search that lags behind, and webhooks. Faults are injected by whoever started it. The real package is run against it.
 */

export const STRIPE_KEY = 'sk_test_of_the_stand_in';
export const STRIPE_WEBHOOK_SECRET = 'whsec_of_the_stand_in';

/**
 * What goes wrong with a request. FAIL: 500 before anything is done. LOSE: everything is done, and the connection breaks. STALL: no
 * answer at all. BREAK: everything is done, and the answer is no JSON.
 */
export type StripeTrouble = 'FAIL' | 'LOSE' | 'STALL' | 'BREAK' | { status: number; code?: string };

export interface StripeServer extends AsyncDisposable {
  /** For STRIPE_API_URL. */
  url: string;
  books: StripeBooks;
  /** What was asked, oldest first. */
  asked: { method: string; path: string; key: string | null; version: string | null }[];
  /** Decides for each request what goes wrong; null: nothing. */
  trouble: (request: { method: string; path: string }) => StripeTrouble | null;
  /** Sets what goes wrong with the next request of a method. */
  troubleNext(trouble: StripeTrouble, method?: 'GET' | 'POST'): void;
  /** Where webhooks are sent; null: nowhere. */
  webhookUrl: string | null;
  /** Sends the webhooks that were not sent yet. @returns how many were not accepted; those are sent again by the next call */
  deliver(options?: { copies?: number; reverse?: boolean }): Promise<number>;
  /** Signs a body as Stripe does. */
  sign(body: string, options?: { at?: Date; secret?: string }): string;
}

interface Remembered {
  request: string;
  answer: Promise<Answer>;
  isDone: boolean;
}

interface Answer {
  status: number;
  body: object;
}

type Params = { [name: string]: string | Params };

/** Starts one. */
export async function startStripeServer(): Promise<StripeServer> {
  const books = new StripeBooks(Stripe.API_VERSION);
  const keys = new Map<string, Remembered>();
  let unsent: StripeEvent[] = [];
  const next: { trouble: StripeTrouble; method: string | null }[] = [];
  const asked: StripeServer['asked'] = [];
  books.onEvent = (event) => unsent.push(event);

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { method = 'GET', headers } = req;
    const { pathname: path, search } = new URL(req.url ?? '/', 'http://stripe');
    const text = method === 'POST' ? await bodyOf(req) : search.slice(1);
    const key = typeof headers['idempotency-key'] === 'string' ? headers['idempotency-key'] : null;
    const version = typeof headers['stripe-version'] === 'string' ? headers['stripe-version'] : null;
    asked.push({ method, path, key, version });
    const trouble = takeTrouble(method) ?? server.trouble({ method, path });
    const send = ({ status, body }: Answer, more: Record<string, string> = {}) => {
      res.writeHead(status, { 'content-type': 'application/json', 'request-id': 'req_test', ...more });
      res.end(JSON.stringify(body));
    };
    if (trouble === 'STALL') return;
    if (headers.authorization !== `Bearer ${STRIPE_KEY}`) {
      send({ status: 401, body: { error: { type: 'invalid_request_error', message: 'Invalid API Key provided.' } } });
      return;
    }
    if (typeof trouble === 'object' && trouble !== null) {
      const { status, code } = trouble;
      const type = status === 409 ? 'idempotency_error' : status >= 500 ? 'api_error' : 'invalid_request_error';
      send({ status, body: { error: { type, code, message: 'Trouble.' } } });
      return;
    }
    if (trouble === 'FAIL') {
      send({ status: 500, body: { error: { type: 'api_error', message: 'An unknown error occurred.' } } });
      return;
    }
    const [answer, isReplayed] = await answerOnce(key, { method, path, text });
    if (trouble === 'LOSE') req.socket.destroy();
    else if (trouble === 'BREAK') res.end('<html>Bad gateway</html>');
    else send(answer, isReplayed ? { 'idempotent-replayed': 'true' } : {});
  }

  function takeTrouble(method: string): StripeTrouble | null {
    const at = next.findIndex((one) => one.method === null || one.method === method);
    return at === -1 ? null : (next.splice(at, 1)[0]?.trouble ?? null);
  }

  /** Keys: the first answer is remembered, except faults that were found before the request began. */
  async function answerOnce(
    key: string | null,
    asking: { method: string; path: string; text: string },
  ): Promise<[Answer, boolean]> {
    const { method, path, text } = asking;
    const work = async () => respond(method, path, paramsOf(text));
    if (method !== 'POST' || key === null) return [await settled(work()), false];
    const request = `${path}?${text}`;
    const known = keys.get(key);
    if (known !== undefined && known.request !== request) {
      const message = 'Keys for idempotent requests can only be used with the same parameters.';
      return [{ status: 400, body: { error: { type: 'idempotency_error', message } } }, false];
    }
    if (known !== undefined && !known.isDone) {
      const error = { type: 'idempotency_error', code: 'idempotency_key_in_use', message: 'The key is in use.' };
      return [{ status: 409, body: { error } }, false];
    }
    if (known !== undefined) return [await known.answer, true];
    const doing = work();
    const remembered: Remembered = { request, answer: settled(doing), isDone: false };
    keys.set(key, remembered);
    const fault = await doing.then(
      () => null,
      (error: unknown) => error,
    );
    if (fault instanceof StripeFault && fault.isValidation) keys.delete(key);
    remembered.isDone = true;
    return [await remembered.answer, false];
  }

  function respond(method: string, path: string, params: Params): object {
    const [, list = '', id, verb] = /^\/v1\/(\w+)(?:\/(\w+))?(?:\/(\w+))?$/.exec(path) ?? [];
    const expand = Object.values((params['expand'] ?? {}) as Record<string, string>);
    const shown = (intent: Intent) => expanded(intent, expand);
    const given = params as never;
    if (method === 'POST' && list === 'payment_intents') {
      if (id === undefined) return shown(books.create(given));
      if (verb === 'capture') return shown(books.capture(id, params['amount_to_capture'] as string | undefined));
      if (verb === 'cancel') return shown(books.cancel(id));
    }
    if (method === 'POST' && list === 'refunds' && id === undefined) return { ...books.refund(given) };
    if (method === 'GET' && list === 'payment_intents') {
      if (id === undefined) return pageOf(books.intents.toReversed(), params);
      if (id === 'search') return searched(params['query'] as string);
      return shown(books.intent(id));
    }
    const { charge } = params;
    if (method === 'GET' && id === undefined) {
      if (list === 'refunds') return pageOf(books.refunds.filter((one) => one.charge === charge).toReversed(), params);
      if (list === 'disputes')
        return pageOf(books.disputes.filter((one) => one.charge === charge).toReversed(), params);
      if (list === 'events') {
        const types = Object.values((params['types'] ?? {}) as Record<string, string>);
        return pageOf(books.events.filter(({ type }) => types.includes(type)).toReversed(), params);
      }
    }
    throw new StripeFault(404, 'invalid_request_error', undefined, `Unrecognized request URL (${method}: ${path}).`);
  }

  function expanded(intent: Intent, expand: readonly string[]): object {
    if (intent.latest_charge === null || !expand.includes('latest_charge')) return { ...intent };
    const charge = books.chargeOf(intent);
    const refunds = books.refunds.filter((one) => one.charge === charge.id).toReversed();
    const more = expand.includes('latest_charge.refunds') ? { refunds: pageOf(refunds, {}) } : {};
    return { ...intent, latest_charge: { ...charge, ...more } };
  }

  /** `metadata['name']:'value'`, in what the search knows. */
  function searched(query: string): object {
    const [, name = '', value] = /^metadata\['([^']+)'\]:'([^']+)'$/.exec(query) ?? [];
    const found = books.intents.filter(({ id, metadata }) => books.indexed.has(id) && metadata[name] === value);
    return { object: 'search_result', url: '/v1/payment_intents/search', has_more: false, data: found };
  }

  const server: StripeServer = {
    url: '',
    books,
    asked,
    trouble: () => null,
    troubleNext: (trouble, method) => void next.push({ trouble, method: method ?? null }),
    webhookUrl: null,
    async deliver({ copies = 1, reverse = false } = {}) {
      const events = reverse ? unsent.toReversed() : unsent;
      unsent = [];
      if (server.webhookUrl === null) return 0;
      let refused = 0;
      for (const event of events) {
        const body = JSON.stringify(event);
        let isAccepted = true;
        for (let copy = 0; copy < copies; copy += 1) {
          const headers = { 'content-type': 'application/json', 'stripe-signature': server.sign(body) };
          const response = await fetch(server.webhookUrl, { method: 'POST', headers, body }).catch(() => null);
          await response?.body?.cancel();
          isAccepted &&= response?.ok === true;
        }
        if (isAccepted) continue;
        refused += 1;
        unsent.push(event);
      }
      return refused;
    },
    sign: (payload, { at = new Date(), secret = STRIPE_WEBHOOK_SECRET } = {}) =>
      Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: Math.floor(at.getTime() / 1000) }),
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  const http = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  server.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  return server;
}

/** The answer that work gives, or its fault. */
async function settled(work: Promise<object>): Promise<Answer> {
  try {
    return { status: 200, body: structuredClone(await work) };
  } catch (error) {
    if (!(error instanceof StripeFault)) throw error;
    return { status: error.status, body: { error: error.body } };
  }
}

/** A page of a list that is sorted from the newest to the oldest. */
function pageOf(items: readonly { id: string; created: number }[], params: Params): object {
  const limit = Math.min(Number(params['limit'] ?? 10), 100);
  const { gte } = (params['created'] ?? {}) as Record<string, string>;
  const chosen = items.filter(({ created }) => gte === undefined || created >= Number(gte));
  const after = chosen.findIndex(({ id }) => id === params['starting_after']);
  const rest = chosen.slice(after + 1);
  return { object: 'list', url: '/v1/list', has_more: rest.length > limit, data: rest.slice(0, limit) };
}

async function bodyOf(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** `a[b]=c` is `{ a: { b: 'c' } }`. */
function paramsOf(text: string): Params {
  const params: Params = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const path = name.split(/\[|\]\[?/).filter((part) => part !== '');
    let place = params;
    for (const part of path.slice(0, -1)) place = (place[part] ??= {}) as Params;
    place[path.at(-1) ?? ''] = value;
  }
  return params;
}
