import { request } from 'node:http';
import { ApolloClient, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { Client as UrqlClient, subscriptionExchange } from '@urql/core';
import { print } from 'graphql';
import { createClient, type Client, type Sink } from 'graphql-ws';
import { WebSocket } from 'ws';
import { COME_BACK, resuming, type ResumeOptions } from '../../examples/resume.ts';
import { graphql } from '../generated/gql/index.ts';

// Front ends that follow stock from a cursor on, each as an application would be written with it.

export const ResumeStock = graphql(`
  subscription ResumeStock($ids: [ID!], $after: EventCursor) {
    stockChanged(variantIds: $ids, after: $after) {
      cursor
      available
      variant {
        id
      }
    }
  }
`);

/** The same as text. */
export const STOCK = print(ResumeStock);

/** What is looked at of an event. */
export interface Change {
  cursor: string;
  available: number;
}

export interface FollowOptions extends ResumeOptions {
  /** Where the shop is reached: `http://localhost:…` */
  origin: string;
  ids: string[];
  after: string;
  next: (change: Change) => void;
  /** It is over, or something came that should not have. */
  over: (why: unknown) => void;
}

/** Follows until it is stopped. */
export type Follow = (options: FollowOptions) => () => Promise<void> | void;

/** As soon as it can: tests have no time for a pause that spares servers. */
const AT_ONCE = { ...COME_BACK, retryWait: () => new Promise<void>((resolve) => setImmediate(resolve)) };

/** A client of graphql-ws, as it comes. */
export function openSockets(origin: string): Client {
  return createClient({ url: `${origin.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, ...AT_ONCE });
}

/** graphql-ws alone. */
export const followWithSocket: Follow = ({ origin, ids, after, next, over, ...options }) => {
  const sockets = resuming(openSockets(origin), options);
  let left = false;
  sockets.subscribe<{ stockChanged: Change }>(
    { query: STOCK, variables: { ids, after } },
    {
      next: ({ data, errors }) => (data == null ? over(errors) : next(data.stockChanged)),
      error: over,
      complete: () => left || over('complete'),
    },
  );
  return () => {
    left = true;
    return sockets.dispose();
  };
};

export const followWithApollo: Follow = ({ origin, ids, after, next, over, ...options }) => {
  const sockets = resuming(openSockets(origin), options);
  const apollo = new ApolloClient({ cache: new InMemoryCache(), link: new GraphQLWsLink(sockets) });
  const watching = apollo.subscribe({ query: ResumeStock, variables: { ids, after } }).subscribe({
    next: ({ data, error }) => (data == null ? over(error) : next(data.stockChanged)),
    error: over,
    complete: () => over('complete'),
  });
  return () => {
    watching.unsubscribe();
    apollo.stop();
    return sockets.dispose();
  };
};

export const followWithUrql: Follow = ({ origin, ids, after, next, over, ...options }) => {
  const sockets = resuming(openSockets(origin), options);
  const urql = new UrqlClient({
    url: `${origin}/graphql`,
    preferGetMethod: true,
    exchanges: [
      subscriptionExchange({
        forwardSubscription: ({ query = '', variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: sockets.subscribe({ query, variables: variables ?? null }, sink as Sink),
          }),
        }),
      }),
    ],
  });
  const { unsubscribe } = urql.subscription(ResumeStock, { ids, after }).subscribe(({ data, error }) => {
    if (error !== undefined || data === undefined) over(error);
    else next(data.stockChanged);
  });
  return () => {
    unsubscribe();
    return sockets.dispose();
  };
};

/**
 * What an EventSource does, by the standard, but without its pause of seconds before it comes back: takes whole events alone,
 * and sends the id of the last one.
 */
export const followWithEventSource: Follow = ({ origin, ids, after, next, over }) => {
  let lastEventId = '';
  let left = false;
  let stop = () => {};

  function connect(): void {
    if (left) return;
    const address = new URL('/graphql', origin);
    address.searchParams.set('query', STOCK);
    address.searchParams.set('variables', JSON.stringify({ ids, after }));
    const headers = { accept: 'text/event-stream', ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }) };
    const req = request(address, { headers, agent: false }, (res) => {
      if (res.statusCode !== 200) over(res.statusCode);
      let text = '';
      res.setEncoding('utf8').on('data', (chunk: string) => {
        const blocks = (text + chunk).split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) take(block);
      });
      // A stream that breaks off says so by an error, too.
      res.on('error', () => {});
    });
    req.on('error', () => {});
    req.once('close', () => setImmediate(connect));
    req.end();
    stop = () => req.destroy();
  }

  function take(block: string): void {
    const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(block)?.[1];
    lastEventId = field('id') ?? lastEventId;
    if (field('event') !== 'next') return;
    const { data, errors } = JSON.parse(field('data') ?? '') as { data?: { stockChanged: Change }; errors?: unknown };
    if (data == null) over(errors);
    else next(data.stockChanged);
  }

  connect();
  return () => {
    left = true;
    stop();
  };
};
