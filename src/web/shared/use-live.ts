import { useEffect, useEffectEvent, useRef } from 'react';
import { useClient, useQuery, type AnyVariables, type TypedDocumentNode, type UseQueryState } from 'urql';
import { staleness } from './api.tsx';
import { liveness } from './connection.ts';
import { useStore } from './store.ts';

/**
 * Follows a subscription from a cursor on: that of the data which the page shows first. Later cursors have no effect, since the
 * subscription itself continues after its last event.
 * @param variables without `after`
 * @param after null: not yet
 */
export function useLive<Data, Variables extends { after?: string | null | undefined }>(
  document: TypedDocumentNode<Data, Variables>,
  {
    variables,
    after,
    onEvent,
  }: {
    variables: Omit<Variables, 'after'>;
    after: string | null | undefined;
    onEvent?: (data: Data) => void;
  },
): void {
  const client = useClient();
  const key = JSON.stringify(variables);
  const ready = after != null;
  const latest = useRef(after);
  latest.current = after;
  const notify = useEffectEvent((data: Data) => onEvent?.(data));
  useEffect(() => {
    if (!ready) return () => {};
    const given = { ...(JSON.parse(key) as object), after: latest.current } as unknown as Variables & AnyVariables;
    const subscription = client.subscription(document, given).subscribe(({ data }) => {
      if (data != null) notify(data);
    });
    return () => subscription.unsubscribe();
  }, [client, document, key, ready]);
}

/**
 * Reads the data of a page: from the cache immediately if it is there, and from the shop. It is read again if the event log does not
 * lead on from there, and when the connection returns after a failed request.
 */
export function usePage<Data, Variables extends AnyVariables>(
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
  { pause = false }: { pause?: boolean } = {},
): [UseQueryState<Data, Variables>, () => void] {
  const [state, execute] = useQuery<Data, Variables>({
    query: document,
    variables,
    pause,
    requestPolicy: 'cache-and-network',
  });
  const stale = useStore(staleness);
  const live = useStore(liveness);
  const seen = useRef({ stale, live });
  const failed = state.error !== undefined;
  useEffect(() => {
    const came = live === 'live' && seen.current.live !== 'live' && failed;
    const isStale = seen.current.stale !== stale;
    seen.current = { stale, live };
    if (!pause && (came || isStale)) execute({ requestPolicy: 'network-only' });
  }, [stale, live, failed, pause, execute]);
  return [state, () => execute({ requestPolicy: 'network-only' })];
}
