import { readFileSync } from 'node:fs';
import { buildSchema } from 'graphql';
import { requestBytes, sendBytes } from './bytes.ts';
import { conversation, sendFrames } from './frames.ts';
import { createOperations, type Operation } from './operations.ts';
import { broken, createRandom, text, wellFormed, type Random } from './random.ts';

/** What should not have happened, and with which input. */
export interface Finding {
  input: number;
  kind: string;
  what: string;
  sent: string;
}

export interface FuzzOptions {
  url: string;
  seed: number;
  /** The first input, and how many. */
  from?: number;
  inputs: number;
  /** How many are on their way at the same time. */
  concurrency?: number;
  /** Headers of those in whose name operations are sent; asked for now and then, since operations log people out. */
  identities: () => Promise<readonly Record<string, string>[]>;
  /** Called with what each input came to, in a word or two. */
  onOutcome?: (kind: string, outcome: string) => void;
  /** Called after each thousand. */
  onProgress?: (done: number, findings: number) => void;
}

const ID = /"((?:[A-Za-z0-9+/]{4}){4,30}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)"/g;
const KEPT_IDS = 300;
const RENEW_EVERY = 500;
const ANSWER_WITHIN_MS = 30_000;
const MANY_FINDINGS = 50;

/** The id by which the logs of the shop name an input. */
export const requestIdOf = (input: number) => `fuzz-${input}`;

/**
 * Sends inputs to a shop that limits nobody: operations made from its schema, valid and broken; bytes as requests; frames of
 * sockets. Faults are answers with a status of 500 or more, INTERNAL_SERVER_ERROR, and no answer. Errors in the log are the
 * caller's to look for.
 */
export async function runFuzz(options: FuzzOptions): Promise<Finding[]> {
  const {
    url,
    seed,
    from = 0,
    inputs,
    concurrency = 8,
    identities,
    onOutcome = () => {},
    onProgress = () => {},
  } = options;
  const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
  const makeOperation = createOperations(schema);
  const port = Number(new URL(url).port);
  const ids: string[] = [];
  const findings: Finding[] = [];
  let people = await identities();
  let renewal: Promise<void> | undefined;
  let next = from;
  let done = 0;

  function learn(body: string): void {
    for (const [, id = ''] of body.matchAll(ID)) {
      if (ids.length < KEPT_IDS) ids.push(id);
      else ids[(done + id.length) % KEPT_IDS] = id;
    }
  }

  function operation(random: Random): Operation {
    const kind = random.pick(['query', 'query', 'mutation', 'mutation', 'subscription'] as const);
    const made = makeOperation(random, kind, ids);
    return random.chance(0.15) ? { ...made, query: broken(random, made.query) } : made;
  }

  async function post(random: Random, input: number): Promise<void> {
    const { query, variables } = operation(random);
    const plain: unknown = random.chance(0.05)
      ? random.pick<unknown>([
          { query, variables: [] },
          { query, variables, operationName: text(random) },
          { query, variables: { ...variables, x: 1 } },
          [{ query }],
          { query: null },
        ])
      : { query, variables };
    const body = random.chance(0.1) ? broken(random, JSON.stringify(plain)) : JSON.stringify(plain);
    const accept = random.pick(['application/json', 'application/graphql-response+json', 'text/event-stream', '*/*']);
    const headers = {
      'content-type': 'application/json',
      accept,
      'x-request-id': requestIdOf(input),
      ...random.pick(people),
    };
    await ask('operation', input, body, '/graphql', { method: 'POST', headers, body });
  }

  async function get(random: Random, input: number): Promise<void> {
    const { query, variables } = operation(random);
    const search = `query=${encodeURIComponent(wellFormed(query))}&variables=${encodeURIComponent(JSON.stringify(variables))}`;
    const headers = {
      accept: random.pick(['application/json', 'text/event-stream']),
      'x-request-id': requestIdOf(input),
      ...random.pick(people),
    };
    if (search.length < 12_000) await ask('GET', input, search, `/graphql?${search}`, { headers });
  }

  async function ask(kind: string, input: number, sent: string, path: string, init: RequestInit): Promise<void> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(new Error('no answer')), ANSWER_WITHIN_MS);
    try {
      const response = await fetch(`${url}${path}`, { ...init, redirect: 'manual', signal: abort.signal });
      const reader = response.body?.getReader();
      let body = '';
      // The first piece of a stream of events is enough, if it comes at all.
      if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) {
        const piece = await Promise.race([
          reader?.read(),
          new Promise<null>((resolve) => setTimeout(() => resolve(null), 10)),
        ]);
        body = Buffer.from(piece?.value ?? []).toString();
        abort.abort();
      } else {
        for (let piece = await reader?.read(); piece?.done === false; piece = await reader?.read())
          body += Buffer.from(piece.value).toString();
      }
      learn(body);
      judge(kind, input, sent, response.status, body);
    } catch (error) {
      const cause = (error as { cause?: Error }).cause?.message ?? (error as Error).message;
      findings.push({ input, kind, what: `no answer: ${cause}`, sent });
    } finally {
      clearTimeout(timer);
    }
  }

  function judge(kind: string, input: number, sent: string, status: number, body: string): void {
    onOutcome(
      kind,
      `${status} ${/"code":"([A-Z_]+)"/.exec(body)?.[1] ?? (body.includes('"data":{') ? 'data' : 'other')}`,
    );
    if (status >= 500 && status !== 501 && status !== 505)
      findings.push({ input, kind, what: `${status} ${body.slice(0, 300)}`, sent });
    else if (body.includes('INTERNAL_SERVER_ERROR')) findings.push({ input, kind, what: body.slice(0, 600), sent });
  }

  async function raw(random: Random, input: number): Promise<void> {
    const request = requestBytes(random, requestIdOf(input));
    const answer = await sendBytes(port, request);
    judge('bytes', input, request.toString('latin1'), Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0), answer);
  }

  async function socket(random: Random, input: number): Promise<void> {
    const frames = conversation(random, () => operation(random));
    const { text: said, closeCode } = await sendFrames(port, frames, requestIdOf(input));
    const sent = Buffer.concat(frames).toString('latin1');
    judge('frames', input, sent, 0, said);
    if (closeCode === 4500 || closeCode === 1011)
      findings.push({ input, kind: 'frames', what: `closed with ${closeCode}`, sent });
  }

  async function worker(): Promise<void> {
    while (next < from + inputs && findings.length < MANY_FINDINGS) {
      const input = next;
      next += 1;
      const random = createRandom(seed, input);
      if (input % RENEW_EVERY === 0 && input > from) {
        renewal = identities().then((renewed) => void (people = renewed));
        await renewal;
      }
      const share = random.next();
      await (share < 0.55 ? post : share < 0.65 ? get : share < 0.85 ? raw : socket)(random, input);
      done += 1;
      if (done % 1000 === 0) onProgress(done, findings.length);
    }
  }

  await Promise.all(Array.from({ length: concurrency }, worker));
  return findings;
}
