import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { GraphQLFormattedError } from 'graphql';
import { Inbox } from './inbox.ts';

/** An event of an SSE stream. */
export interface StreamEvent {
  event: string;
  /** Its cursor, where it has one. */
  id?: string;
  data: { data?: Record<string, unknown> | null; errors?: GraphQLFormattedError[] } | null;
}

export interface TestEventStream {
  status: number;
  headers: IncomingMessage['headers'];
  events: Inbox<StreamEvent>;
  /** Resolves with whether the server ended it properly. */
  ended: Promise<boolean>;
  /** Goes away without a word. */
  close(): void;
}

/** Subscribes over SSE, as EventSource would: by GET. */
export function openEventStream(
  url: string,
  query: string,
  headers: OutgoingHttpHeaders = {},
): Promise<TestEventStream> {
  const address = new URL('/graphql', url);
  address.searchParams.set('query', query);
  return new Promise((resolve, reject) => {
    const req = request(address, { headers: { accept: 'text/event-stream', ...headers }, agent: false }, (res) => {
      const events = new Inbox<StreamEvent>();
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (chunk: string) => {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          const event = parseEvent(block);
          if (event !== null) events.put(event);
        }
      });
      const ended = new Promise<boolean>((done) => {
        res.once('close', () => done(res.complete));
      });
      res.once('error', () => {});
      resolve({ status: res.statusCode ?? 0, headers: res.headers, events, ended, close: () => req.destroy() });
    });
    req.once('error', reject);
    req.end();
  });
}

function parseEvent(block: string): StreamEvent | null {
  const fields = new Map(
    block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const event = fields.get('event');
  if (event === undefined) return null; // a comment that keeps the connection alive
  const data = fields.get('data') ?? '';
  const id = fields.get('id');
  const parsed = data === '' ? null : (JSON.parse(data) as StreamEvent['data']);
  return { event, data: parsed, ...(id === undefined ? {} : { id }) };
}
