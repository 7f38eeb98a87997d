import type { EventFeed } from '../events/feed.ts';
import type { Logger } from '../infra/logger.ts';
import type { SessionService } from '../modules/accounts/session.service.ts';
import { sessionEnded } from '../modules/accounts/session.events.ts';

/** What is watched. */
export interface Watched {
  /** Whether the token is valid now; else there is nothing to watch. */
  readonly valid: boolean;
  /** Whose it is; null where it is not valid. */
  readonly userId: string | null;
  release(): void;
}

/** Sees to it that what runs in the name of a session, on this node, does not outlive it. */
export interface SessionWatch {
  /**
   * Calls `over` when the session of an access token ends, on whatever node, or (within a second) the token's own time is over;
   * once at most.
   */
  watch(accessToken: string, over: () => void): Promise<Watched>;
}

const NOTHING: Watched = { valid: false, userId: null, release: () => {} };
const SWEEP_MS = 500;

/** One thing that runs for a session. Each socket of a user's has one, so it is small: no closures, no timer of its own. */
class Watch implements Watched {
  readonly sessionId: string;
  readonly #host: Host;
  readonly #over: () => void;
  /** By this process's clock; that of the database has said how long it is until then. Zero: not known yet. */
  expiresAt = 0;
  userId: string | null = null;
  /** Another one of the same session. */
  next: Watch | null = null;
  heard = false;

  constructor(host: Host, sessionId: string, over: () => void) {
    this.#host = host;
    this.sessionId = sessionId;
    this.#over = over;
  }

  get valid(): boolean {
    return this.userId !== null;
  }

  release(): void {
    this.#host.release(this);
  }

  end(): void {
    if (this.heard) return;
    this.heard = true;
    this.release();
    if (this.valid) this.#over();
  }

  /** The token is valid for so long. */
  begin(userId: string, expiresInMs: number): void {
    this.userId = userId;
    this.expiresAt = performance.now() + expiresInMs;
    if (this.heard) this.#over();
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
  /** The latest of each session leads to the others. */
  const watched = new Map<string, Watch>();
  /** Null while nothing is watched: then there is nobody to tell. */
  let unsubscribe: (() => void) | null = null;
  let sweeping: NodeJS.Timeout | undefined;

  /** All of a session, as they are now: each takes itself out. */
  function ofSession(sessionId: string): Watch[] {
    const all: Watch[] = [];
    for (let watch = watched.get(sessionId) ?? null; watch !== null; watch = watch.next) all.push(watch);
    return all;
  }

  function end(sessionId: string): void {
    for (const watch of ofSession(sessionId)) watch.end();
  }

  function sweep(): void {
    const now = performance.now();
    const late: Watch[] = [];
    for (const first of watched.values())
      for (let watch: Watch | null = first; watch !== null; watch = watch.next)
        if (watch.valid && watch.expiresAt <= now) late.push(watch);
    for (const watch of late) watch.end();
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

  function add(watch: Watch): void {
    watch.next = watched.get(watch.sessionId) ?? null;
    watched.set(watch.sessionId, watch);
    unsubscribe ??= listen();
    sweeping ??= setInterval(sweep, SWEEP_MS);
  }

  const host: Host = {
    release(gone) {
      const { sessionId } = gone;
      const all = ofSession(sessionId);
      const at = all.indexOf(gone);
      if (at === -1) return;
      const before = all[at - 1];
      if (before !== undefined) before.next = gone.next;
      else if (gone.next !== null) watched.set(sessionId, gone.next);
      else watched.delete(sessionId);
      gone.next = null;
      if (watched.size > 0) return;
      unsubscribe?.();
      unsubscribe = null;
      clearInterval(sweeping);
      sweeping = undefined;
    },
  };

  return {
    async watch(accessToken, over) {
      const sessionId = sessions.sessionOf(accessToken);
      if (sessionId === null) return NOTHING;
      const watch = new Watch(host, sessionId, over);
      add(watch);
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
  };
}
