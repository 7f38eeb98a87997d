import { useEffect, useMemo, type ReactNode } from 'react';
import { Client, fetchExchange, Provider, subscriptionExchange, type Exchange } from 'urql';
import type { Client as SocketClient } from 'graphql-ws';
import { createCache } from './cache.ts';
import { noteServerTime } from './clock.ts';
import { openConnection } from './connection.ts';
import { freshnessExchange, noteEvent } from './freshness.ts';
import { sessionEpoch, sessionFetch } from './session.ts';
import { createStore, useStore } from './store.ts';

/** Goes up when the event log does not lead on to the present: pages then read anew. */
export const staleness = createStore(0);

interface Api {
  client: Client;
  socket: SocketClient;
}

function createApi(): Api {
  const socket = openConnection({
    async onExpired() {
      const { data } = await client
        .query<{ eventCursor: string }>('{ eventCursor(for: "Resume") }', {}, { requestPolicy: 'network-only' })
        .toPromise();
      // Only now, so that pages are newer than the cursor.
      staleness.set(staleness.get() + 1);
      return data?.eventCursor ?? null;
    },
  });
  const exchanges: Exchange[] = [
    createCache(),
    freshnessExchange,
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query = '', variables }) => ({
        subscribe: (sink) => {
          const next = (result: { data?: unknown }) => {
            if (result.data != null) noteEvent(result.data);
            sink.next(result as never);
          };
          const unsubscribe = socket.subscribe({ query, variables: variables ?? null }, { ...sink, next });
          return { unsubscribe };
        },
      }),
    }),
  ];
  const client = new Client({ url: '/graphql', preferGetMethod: false, fetch: timedFetch, exchanges });
  return { client, socket };
}

/** Learns the server's time from every answer that tells it. */
const timedFetch: typeof fetch = async (input, init) => {
  const askedAt = performance.now();
  const response = await sessionFetch(input, init);
  const answeredAt = performance.now();
  if (typeof init?.body === 'string' && init.body.includes('serverTime')) {
    void response
      .clone()
      .json()
      .then((answer: { data?: { serverTime?: string } | null }) => {
        if (answer.data?.serverTime !== undefined) noteServerTime(answer.data.serverTime, askedAt, answeredAt);
      })
      .catch(() => {});
  }
  return response;
};

/** Gives the pages below it a client. After a log-in or a log-out it is a new one, that knows nothing of the one before. */
export function ApiProvider({ children }: { children: ReactNode }) {
  const epoch = useStore(sessionEpoch);
  // A new session needs a new client.
  const { client, socket } = useMemo(createApi, [epoch]);
  useEffect(() => () => void socket.dispose(), [socket]);
  return (
    <Provider key={epoch} value={client}>
      {children}
    </Provider>
  );
}
