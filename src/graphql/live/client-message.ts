import { isNestedTooDeep } from '../limits/nesting.ts';

/** What clients may send over graphql-transport-ws. `next`, `error` and `connection_ack` are the server's alone. */
const CLIENT_MESSAGES: ReadonlySet<unknown> = new Set(['connection_init', 'ping', 'pong', 'subscribe', 'complete']);

/** Parses a message of a client; null where it is not JSON, nested too deep, or not a client's to send. */
export function parseClientMessage(data: string): object | null {
  if (isNestedTooDeep(data)) return null;
  try {
    const message: unknown = JSON.parse(data);
    const type = (message as { type?: unknown } | null)?.type;
    return CLIENT_MESSAGES.has(type) ? (message as object) : null;
  } catch {
    return null;
  }
}
