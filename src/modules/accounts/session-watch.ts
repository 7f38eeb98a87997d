import type { EventFeed } from '../../events/feed.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Watched, WatchEnd } from '../credential-watch.ts';
import { credentialsReplaced, sessionEnded } from './session.events.ts';
import type { SessionService } from './session.service.ts';

/** Ends what runs on this node in the name of a session or a guest when its credentials are over. */
export interface SessionWatch {
  /**
   * Calls `over` when the access token expires (within a second), and when its session ends or is replaced, on any node. After
   * EXPIRED the watch goes on; any other reason is the last.
   */
  watch(accessToken: string, over: (why: WatchEnd) => void): Promise<Watched>;
  /**
   * Calls `over` once when the guest's client has logged in or out since, or the guest was given a new token.
   * @param byCookie the guest is known by a cookie, which a browser may replace at any time
   */
  watchGuest(guestId: string, byCookie: boolean, over: (why: WatchEnd) => void): Watched;
  dispose(): void;
}

const NOTHING: Watched = { valid: false, userId: null, release: () => {} };
const SWEEP_MS = 500;
/**
 * From the event to the end of what runs with replaced credentials: the answer that sets the new cookies is on its way to the
 * browser by then, and the guest's last events are delivered.
 */
const REPLACE_AFTER_MS = 1_000;
/** A browser that still comes with the old cookie after its log-in or checkout has not seen the answer yet, and is sent away again. */
const REPLACED_RECENTLY_MS = 15_000;

/** One thing that runs for a session or a guest. Each socket has one, so it is small: no closures, no timer of its own. */
class Watch implements Watched {
  readonly subject: string;
  readonly #host: Host;
  readonly #over: (why: WatchEnd) => void;
  /** By this process's clock; the database's clock has said how long it is until then. */
  dueAt = Infinity;
  due: WatchEnd = 'EXPIRED';
  valid = false;
  userId: string | null = null;
  /** Another one of the same subject. */
  next: Watch | null = null;
  /** Ended before the token was known to be valid. */
  #endedEarly: WatchEnd | null = null;

  constructor(host: Host, subject: string, over: (why: WatchEnd) => void) {
    this.#host = host;
    this.subject = subject;
    this.#over = over;
  }

  release(): void {
    this.#host.release(this);
  }

  end(why: WatchEnd): void {
    if (!this.valid) {
      this.#endedEarly ??= why;
      return;
    }
    if (why === 'EXPIRED') this.dueAt = Infinity;
    else this.release();
    this.#over(why);
  }

  /** The token is valid for so long. */
  begin(userId: string | null, expiresInMs: number): void {
    this.valid = true;
    this.userId = userId;
    this.dueAt = performance.now() + expiresInMs;
    if (this.#endedEarly !== null) this.end(this.#endedEarly);
  }
}

interface Host {
  release(watch: Watch): void;
}

/** Wires the watch to this node's events. */
export function createSessionWatch(deps: {
  feed: EventFeed;
  sessions: Pick<SessionService, 'identify' | 'sessionOf'>;
  logger: Logger;
}): SessionWatch {
  const { feed, sessions, logger } = deps;
  /** By session or guest; the latest of each leads to the others. */
  const watched = new Map<string, Watch>();
  /** Those of sessions, and those that are about to end: guests only wait for events. */
  const timed = new Set<Watch>();
  /** When guests were replaced, by this process's clock. */
  const replaced = new Map<string, number>();

  /** All of a subject, as they are now: each takes itself out. */
  function ofSubject(subject: string): Watch[] {
    const all: Watch[] = [];
    for (let watch = watched.get(subject) ?? null; watch !== null; watch = watch.next) all.push(watch);
    return all;
  }

  function endSoon(watch: Watch): void {
    watch.due = 'REPLACED';
    watch.dueAt = performance.now() + REPLACE_AFTER_MS;
    timed.add(watch);
  }

  const sweeping = setInterval(() => {
    const now = performance.now();
    for (const watch of [...timed]) if (watch.valid && watch.dueAt <= now) watch.end(watch.due);
    for (const [guestId, at] of replaced) if (at + REPLACED_RECENTLY_MS <= now) replaced.delete(guestId);
  }, SWEEP_MS);
  sweeping.unref();

  let unsubscribe = listen();
  function listen(): () => void {
    return feed.subscribe(
      {
        event(event) {
          const ended = sessionEnded.read(event);
          if (ended !== null) for (const watch of ofSubject(ended.sessionId)) watch.end('ENDED');
          const old = credentialsReplaced.read(event);
          if (old === null) return;
          const { guestId, sessionId, staleGuestId } = old;
          if (guestId !== null) {
            // After a checkout the guest goes on under a new token, and the old one names another guest.
            replaced.set(staleGuestId ?? guestId, performance.now());
            for (const watch of ofSubject(guestId)) endSoon(watch);
          }
          if (sessionId !== null) for (const watch of ofSubject(sessionId)) endSoon(watch);
        },
        reset() {
          unsubscribe = listen();
          if (watched.size === 0) return;
          // Ends may have been among the events that are lost. Clients that are let go here come back, if they may.
          logger.warn(
            { subjects: watched.size },
            'lost track of the event log; ending all subscriptions and sockets of sessions and guests',
          );
          for (const subject of [...watched.keys()]) for (const watch of ofSubject(subject)) watch.end('ENDED');
        },
      },
      { isCounted: false },
    );
  }

  function add(watch: Watch): void {
    watch.next = watched.get(watch.subject) ?? null;
    watched.set(watch.subject, watch);
  }

  const host: Host = {
    release(gone) {
      timed.delete(gone);
      const all = ofSubject(gone.subject);
      const at = all.indexOf(gone);
      if (at === -1) return;
      const before = all[at - 1];
      if (before !== undefined) before.next = gone.next;
      else if (gone.next !== null) watched.set(gone.subject, gone.next);
      else watched.delete(gone.subject);
      gone.next = null;
    },
  };

  return {
    async watch(accessToken, over) {
      const sessionId = sessions.sessionOf(accessToken);
      if (sessionId === null) return NOTHING;
      const watch = new Watch(host, sessionId, over);
      add(watch);
      timed.add(watch);
      try {
        // Looked at once it is watched: an end before this is seen here, and one after it is heard of.
        const identity = await sessions.identify(accessToken);
        if (identity === null) {
          watch.release();
          return NOTHING;
        }
        watch.begin(identity.userId, identity.expiresInMs);
        return watch;
      } catch (error) {
        watch.release();
        throw error;
      }
    },

    watchGuest(guestId, byCookie, over) {
      const watch = new Watch(host, guestId, over);
      add(watch);
      watch.begin(null, Infinity);
      if (byCookie && replaced.has(guestId)) endSoon(watch);
      return watch;
    },

    dispose() {
      clearInterval(sweeping);
      unsubscribe();
    },
  };
}
