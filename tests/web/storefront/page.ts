import { ApolloClient, ApolloLink, gql, HttpLink, InMemoryCache } from '@apollo/client/core';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { Client as UrqlClient, fetchExchange, subscriptionExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { OperationTypeNode } from 'graphql';
import { createClient, type Sink } from 'graphql-ws';
import { followEvents } from '../../../examples/event-source.ts';
import { COME_BACK, resuming } from '../../../examples/resume.ts';

// A store front as an application would have it, bundled for a real browser. Tests call it through `window.storefront`.

interface Answer {
  data?: Record<string, unknown> | null;
  errors?: unknown;
}

const api = new URLSearchParams(location.search).get('api') ?? '';

async function ask(query: string, variables: object = {}): Promise<Answer> {
  const response = await fetch(`${api}/graphql`, {
    method: 'POST',
    credentials: 'include',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  return (await response.json()) as Answer;
}

let refreshes = 0;
async function refresh(): Promise<boolean> {
  refreshes += 1;
  await ask('mutation { refreshSession { errors { code } } }');
  // Whether it could be refreshed or its cookies were taken away: the browser goes on with what it has now.
  return true;
}

const sockets = resuming(createClient({ url: `${api.replace('http', 'ws')}/graphql`, ...COME_BACK }), {
  onUnauthenticated: refresh,
});

/** Events and faults by the name of what follows them. */
const events: Record<string, unknown[]> = {};
const faults: unknown[] = [];

function follow(name: string, query: string, variables: Record<string, unknown> = {}): void {
  const list = (events[name] ??= []);
  sockets.subscribe(
    { query, variables },
    {
      next: ({ data, errors }) => void (data == null ? faults.push(errors) : list.push(Object.values(data)[0])),
      error: (error) => void faults.push(error),
      complete: () => {},
    },
  );
}

function followOverSse(name: string, query: string, variables: Record<string, unknown> = {}): void {
  const list = (events[name] ??= []);
  followEvents<Record<string, unknown>>(
    `${api}/graphql`,
    { query, variables },
    { next: (data) => void list.push(Object.values(data)[0]), fail: (code) => void faults.push(code), refresh },
  );
}

const apollo = new ApolloClient({
  // A connection has no ID: Apollo would replace what one query read of it by what another one reads.
  cache: new InMemoryCache({ typePolicies: { ProductConnection: { merge: true } } }),
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(sockets),
    new HttpLink({ uri: `${api}/graphql`, credentials: 'include' }),
  ),
});

const urql = new UrqlClient({
  url: `${api}/graphql`,
  preferGetMethod: false,
  fetchOptions: { credentials: 'include' },
  exchanges: [
    cacheExchange({}),
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query = '', variables }) => ({
        subscribe: (sink) => ({
          unsubscribe: sockets.subscribe({ query, variables: variables ?? null }, sink as Sink),
        }),
      }),
    }),
  ],
});

/** Asks the shop through a client, so that its cache has the answer. */
async function read(client: 'apollo' | 'urql', query: string, variables: object): Promise<unknown> {
  if (client === 'apollo') {
    const { data } = await apollo.query({ query: gql(query), variables, fetchPolicy: 'network-only' });
    return data;
  }
  const { data } = await urql.query(query, variables as never, { requestPolicy: 'network-only' }).toPromise();
  return data as unknown;
}

/** What a page shows that reads the cache alone. */
async function shown(client: 'apollo' | 'urql', query: string, variables: object): Promise<unknown> {
  if (client === 'apollo') return apollo.readQuery({ query: gql(query), variables });
  const { data } = await urql.query(query, variables as never, { requestPolicy: 'cache-only' }).toPromise();
  return data as unknown;
}

/** Follows through a client: what comes goes through its cache. */
function followWith(client: 'apollo' | 'urql', name: string, query: string, variables: object): void {
  const list = (events[name] ??= []);
  const take = (data: unknown) => void list.push(Object.values(data as object)[0]);
  if (client === 'apollo') {
    apollo.subscribe({ query: gql(query), variables }).subscribe({
      next: ({ data, error }) => void (data == null ? faults.push(error) : take(data)),
      error: (error) => void faults.push(String(error)),
    });
  } else {
    urql.subscription(query, variables as never).subscribe(({ data, error }) => {
      if (error !== undefined) faults.push(String(error));
      else take(data);
    });
  }
}

const storefront = { ask, follow, followOverSse, followWith, read, shown, events, faults, refreshes: () => refreshes };
export type Storefront = typeof storefront;
Object.assign(window, { storefront });
