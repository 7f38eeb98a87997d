import { request } from 'node:http';
import { SUBSCRIPTION, type Following, type Change } from './following.ts';

interface Result {
  data?: { stockChanged: Change } | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

const RESUMABLE = new Set(['LAGGED', 'UNAVAILABLE']);

/** Follows as an EventSource does: whole events alone count, and the id of the last one is sent back. @returns what ends it */
export function followOverSse({ variables, url, away, opened, next, fault }: Following): () => Promise<void> {
  let lastEventId = '';
  let left = false;
  let leave = () => {};

  /** Resolves when the connection is over, however that came. */
  function connect(): Promise<void> {
    const origin = url();
    const address = new URL('/graphql', origin);
    address.searchParams.set('query', SUBSCRIPTION);
    address.searchParams.set('variables', JSON.stringify(variables));
    const headers = { accept: 'text/event-stream', ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }) };
    return new Promise((resolve) => {
      let over = () => {};
      const req = request(address, { headers, agent: false }, (res) => {
        // 503: a node that only just starts.
        if (res.statusCode !== 200 && res.statusCode !== 503) fault(`status ${res.statusCode}`);
        let text = '';
        res.setEncoding('utf8').on('data', (chunk: string) => {
          if (req.destroyed) return;
          const blocks = (text + chunk).split('\n\n');
          text = blocks.pop() ?? '';
          for (const block of blocks) take(block);
        });
        res.on('error', () => {});
      });
      leave = () => req.destroy();
      req.once('socket', (socket) => {
        socket.once('connect', () => {
          over = opened(origin, leave);
        });
      });
      req.on('error', () => {});
      req.once('close', () => {
        over();
        resolve();
      });
      req.end();
    });
  }

  function take(block: string): void {
    const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1];
    lastEventId = field('id') ?? lastEventId;
    if (field('event') !== 'next') return;
    const { data, errors } = JSON.parse(field('data') ?? '') as Result;
    if (data != null) next(data.stockChanged);
    // Both end the stream in a way after which clients resume from the last cursor.
    else if (!RESUMABLE.has(String(errors?.[0]?.extensions?.code))) fault(JSON.stringify(errors));
  }

  const running = (async () => {
    while (!left) {
      await connect();
      if (!left) await away();
    }
  })();
  return async () => {
    left = true;
    leave();
    await running;
  };
}
