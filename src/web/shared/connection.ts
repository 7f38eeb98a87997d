import { createClient, type Client } from 'graphql-ws';
import { COME_BACK, resuming } from '../../../examples/resume.ts';
import { distrustClock } from './clock.ts';
import { renewSession } from './session.ts';
import { createStore } from './store.ts';

/*
 * The one WebSocket of a page. What runs over it goes on after the last event, however often it is cut off (examples/resume.ts).
 */

/** `away`: what the page shows may be out of date. `idle`: nothing is followed yet. */
export type Liveness = 'idle' | 'live' | 'away';
export const liveness = createStore<Liveness>('idle');

const PING_EVERY_MS = 10_000;
const PONG_WITHIN_MS = 5_000;
/** While somebody looks at the page, it is live again within a second of the network's return. */
const RETRY_MS = 900;
const RETRY_HIDDEN_MS = 15_000;
/** Going from one page to another ends subscriptions and begins others. */
const LINGER_MS = 5_000;

/** Waits before another attempt; a network that returns and a visitor who returns to the page cut it short. */
function waitToRetry(tries: number): Promise<void> {
  const most = document.visibilityState === 'visible' ? RETRY_MS : RETRY_HIDDEN_MS;
  // At random, so that not all pages come back to a node in the same moment.
  const ms = Math.min(most, 100 * 2 ** Math.min(tries, 10)) * (0.5 + Math.random() / 2);
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      document.removeEventListener('visibilitychange', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    window.addEventListener('online', done);
    document.addEventListener('visibilitychange', done);
  });
}

/** Opens the socket with the first subscription. */
export function openConnection({ onExpired }: { onExpired: () => Promise<string | null> }): Client {
  let pongTimer: ReturnType<typeof setTimeout> | undefined;
  let gone = false;
  const client = createClient({
    url: `${location.origin.replace('http', 'ws')}/graphql`,
    ...COME_BACK,
    retryWait: waitToRetry,
    lazyCloseTimeout: LINGER_MS,
    keepAlive: PING_EVERY_MS,
    on: {
      connected: () => liveness.set('live'),
      ping: (received) => {
        // A network that swallows everything closes nothing.
        if (!received) pongTimer = setTimeout(() => client.terminate(), PONG_WITHIN_MS);
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer);
      },
      closed: (event) => {
        clearTimeout(pongTimer);
        // 1000: nothing is followed any more, and the client itself has closed it.
        if (!gone) liveness.set((event as CloseEvent).code === 1000 ? 'idle' : 'away');
      },
    },
  });

  const onOffline = () => {
    if (liveness.get() === 'live') liveness.set('away');
    client.terminate();
  };
  const onOnline = () => {
    distrustClock();
    // A socket that outlived the network may take minutes to notice what it missed.
    if (liveness.get() === 'live') client.terminate();
  };
  window.addEventListener('offline', onOffline);
  window.addEventListener('online', onOnline);

  const following = resuming(client, {
    onUnauthenticated: async () => {
      await renewSession();
      // Renewed or ended: what is public goes on in either case.
      return true;
    },
    onExpired,
    wait: waitToRetry,
  });
  return {
    ...following,
    dispose() {
      gone = true;
      window.removeEventListener('offline', onOffline);
      window.removeEventListener('online', onOnline);
      // Rejects, with what is no Error, where the client is about to connect and does not get through.
      return Promise.resolve(client.dispose()).catch(() => {});
    },
  };
}
