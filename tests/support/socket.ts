import type { GraphQLFormattedError } from 'graphql';
import { WebSocket, type ClientOptions } from 'ws';
import { Inbox } from './inbox.ts';

/** A message of graphql-transport-ws. */
export interface SocketMessage {
  type: string;
  id?: string;
  payload?: { data?: Record<string, unknown>; errors?: GraphQLFormattedError[] } & Record<string, unknown>;
}

/** A WebSocket that speaks graphql-transport-ws by hand, so that tests see every message and close code. */
export interface TestSocket {
  messages: Inbox<SocketMessage>;
  send(message: object | string): void;
  /** Begins the conversation; waits for the acknowledgement. */
  init(payload?: Record<string, unknown>): Promise<void>;
  subscribe(id: string, query: string, variables?: Record<string, unknown>, operationName?: string): void;
  closed: Promise<{ code: number; reason: string }>;
  /** Closes it, and waits until it is closed. */
  close(): Promise<void>;
  raw: WebSocket;
}

export interface TestSocketOptions extends Pick<ClientOptions, 'headers' | 'origin' | 'autoPong'> {
  protocols?: string[];
}

/** Opens a socket; rejects with the HTTP status where the upgrade is refused. */
export async function openSocket(wsUrl: string, options: TestSocketOptions = {}): Promise<TestSocket> {
  const { protocols = ['graphql-transport-ws'], ...rest } = options;
  const raw = new WebSocket(wsUrl, protocols, rest);
  const messages = new Inbox<SocketMessage>();
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    raw.once('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  raw.on('message', (data) => messages.put(JSON.parse((data as Buffer).toString()) as SocketMessage));
  await new Promise<void>((resolve, reject) => {
    raw.once('open', resolve);
    raw.once('error', reject);
  });
  raw.on('error', () => {});
  const send = (message: object | string) => raw.send(typeof message === 'string' ? message : JSON.stringify(message));
  return {
    raw,
    messages,
    closed,
    send,
    async init(payload) {
      send({ type: 'connection_init', payload });
      const answer = await messages.take();
      if (answer.type !== 'connection_ack') throw new Error(`not acknowledged: ${JSON.stringify(answer)}`);
    },
    subscribe: (id, query, variables, operationName) =>
      send({ type: 'subscribe', id, payload: { query, variables, operationName } }),
    async close() {
      raw.close(1000);
      await closed;
    },
  };
}

/** The HTTP status with which an upgrade is answered: 101 where it becomes a socket, which is closed again. */
export async function upgradeStatus(wsUrl: string, options: TestSocketOptions = {}): Promise<number> {
  try {
    const socket = await openSocket(wsUrl, options);
    await socket.close();
    return 101;
  } catch (error) {
    const [, status] = /^Unexpected server response: (\d+)$/.exec((error as Error).message) ?? [];
    if (status === undefined) throw error;
    return Number(status);
  }
}
