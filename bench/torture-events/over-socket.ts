import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { COME_BACK, resuming } from '../../examples/resume.ts';
import { SUBSCRIPTION, type Following, type Change } from './following.ts';

/** Follows with graphql-ws, as the documentation advises. @returns what ends it */
export function followOverSocket({ variables, url, away, opened, next, fault }: Following): () => Promise<void> {
  let at = '';
  let over = () => {};
  let left = false;
  const plain = createClient({
    ...COME_BACK,
    url: () => {
      at = url();
      return `${at.replace(/^http/, 'ws')}/graphql`;
    },
    webSocketImpl: WebSocket,
    retryWait: async () => {
      await away();
    },
    on: {
      opened(socket) {
        over = opened(at, () => (socket as WebSocket).terminate());
      },
      closed: () => over(),
    },
  });
  const client = resuming(plain, { warn: fault });
  const stop = client.subscribe<{ stockChanged: Change }>(
    { query: SUBSCRIPTION, variables },
    {
      next({ data, errors }) {
        if (data == null) fault(JSON.stringify(errors));
        else next(data.stockChanged);
      },
      error: (error) => fault(error instanceof Error ? error.message : JSON.stringify(error)),
      complete() {
        if (!left) fault('the subscription was ended');
      },
    },
  );
  return async () => {
    left = true;
    over();
    stop();
    // It rejects where the client was on its way back.
    await Promise.resolve(client.dispose()).catch(() => {});
  };
}
