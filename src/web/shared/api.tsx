import type { ReactNode } from 'react';
import { Client, fetchExchange, Provider, subscriptionExchange, type Exchange } from 'urql';
import type { Client as SocketClient } from 'graphql-ws';
import { createCache } from './cache.ts';
import { liveness, openConnection } from './connection.ts';
import { freshnessExchange, noteEvent } from './freshness.ts';
import { sessionEpoch, sessionFetch } from './session.ts';
import { createStore, useStore } from './store.ts';

/** Goes up when the event log does not lead on to the present: pages then read their data again. */
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
  const client = new Client({ url: '/graphql', preferGetMethod: false, fetch: sessionFetch, exchanges });
  return { client, socket };
}

let current: (Api & { epoch: number }) | null = null;

/** The API of a session. The one before is closed: it has the connections and the cache of somebody else. */
function apiOf(epoch: number): Api {
  if (current?.epoch === epoch) return current;
  void current?.socket.dispose();
  liveness.set('idle');
  current = { ...createApi(), epoch };
  return current;
}

/** Gives the pages below it a client. After a log-in or a log-out it is a new one, that knows nothing of the one before. */
export function ApiProvider({ children }: { children: ReactNode }) {
  const epoch = useStore(sessionEpoch);
  const { client } = apiOf(epoch);
  return (
    <Provider key={epoch} value={client}>
      {children}
    </Provider>
  );
}
