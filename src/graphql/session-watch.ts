import type { EventFeed } from '../events/feed.ts';
import type { Logger } from '../infra/logger.ts';
import type { SessionService } from '../modules/accounts/session.service.ts';
import { sessionEnded } from '../modules/accounts/session.events.ts';

/** What is watched. */
export interface Watched {
  /** Whether the token is valid now; else there is nothing to watch. */
  valid: boolean;
  /** Whose it is; null where it is not valid. */
  userId: string | null;
  release: () => void;
}

/** Sees to it that what runs in the name of a session, on this node, does not outlive it. */
export interface SessionWatch {
  /**
   * Calls `over` when the session of an access token ends, on whatever node, or the token's own time is over; once at most.
   */
  watch(accessToken: string, over: () => void): Promise<Watched>;
}

const NOTHING: Watched = { valid: false, userId: null, release: () => {} };
/** What a timer of node's can wait; tokens live for minutes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Wires the watch to this node's events. */
export function createSessionWatch(deps: {
  feed: EventFeed;
  sessions: Pick<SessionService, 'identify' | 'sessionOf'>;
  logger: Logger;
}): SessionWatch {
  const { feed, sessions, logger } = deps;
  const watched = new Map<string, Set<() => void>>();
  /** Null while nothing is watched: then there is nobody to tell. */
  let unsubscribe: (() => void) | null = null;

  function end(sessionId: string): void {
    for (const over of watched.get(sessionId) ?? []) over();
  }

  function listen(): () => void {
    return feed.subscribe({
      event(event) {
        const ended = sessionEnded.read(event);
        if (ended !== null) end(ended.sessionId);
      },
      reset() {
        // Ends may have been among the events that are lost. Who is let go here comes back, if it may.
        logger.warn(
          { sessions: watched.size },
          'the event log was lost sight of; whatever runs for a session is ended',
        );
        unsubscribe = watched.size === 0 ? null : listen();
        for (const sessionId of [...watched.keys()]) end(sessionId);
      },
    });
  }

  return {
    async watch(accessToken, over) {
      const sessionId = sessions.sessionOf(accessToken);
      if (sessionId === null) return NOTHING;
      let timer: NodeJS.Timeout | undefined;
      const release = () => {
        clearTimeout(timer);
        const listeners = watched.get(sessionId);
        listeners?.delete(once);
        if (listeners?.size === 0) watched.delete(sessionId);
        if (watched.size > 0) return;
        unsubscribe?.();
        unsubscribe = null;
      };
      let checked = false;
      let heard = false;
      const once = () => {
        heard = true;
        release();
        if (checked) over();
      };
      watched.set(sessionId, (watched.get(sessionId) ?? new Set<() => void>()).add(once));
      unsubscribe ??= listen();
      try {
        // Looked at once it is watched: an end before this is seen here, and one after it is heard of.
        const identity = await sessions.identify(accessToken);
        checked = true;
        if (identity === null) {
          release();
          return NOTHING;
        }
        if (heard) over();
        else timer = setTimeout(once, Math.min(identity.expiresInMs, MAX_TIMER_MS));
        return { valid: true, userId: identity.userId, release };
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}
