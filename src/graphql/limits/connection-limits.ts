import { GraphQLError } from 'graphql';
import { createKeyedQueue, createKeyedSemaphore, type Turn } from '../../infra/limits/keyed-semaphore.ts';
import { createNetworkSemaphore } from '../../infra/limits/network-semaphore.ts';
import type { Logger } from '../../infra/logger.ts';
import { createLiveBudget, type LiveBudget } from './live-budget.ts';

/*
 * How much of what lasts one client may have at the same time, on each node: sockets and streams of events, and replays of the
 * log. In memory alone: what is counted here is gone with its node.
 */

/** "By client" is as in rate-limits.ts: a network, behind which there may be a campus. */
export const PRESENCE_LIMITS = {
  /** Sockets and streams together. */
  connectionsByClient: 500,
  /** Every tab has one, on some devices. */
  connectionsByUser: 50,
  /** Resuming subscribers that still read the log: they share a few database connections. */
  replaysByClient: 10,
  /** Who waits for the others of its network to be done. After a node's start all of it may come back at once. */
  replaysWaitingByClient: 500,
  /** Frames of every kind that one socket may send at once, and again within a minute. */
  messagesBySocket: 600,
  /** Cost of live subscriptions with each event: see live-budget.ts. */
  liveCostByClient: 30_000,
  liveCostByNode: 300_000,
} as const;

export type PresenceLimits = Readonly<Record<keyof typeof PRESENCE_LIMITS, number>>;

/** Seconds that a rejected client is asked to wait; when a place becomes free is unknown. */
const CONNECTION_RETRY_S = 30;
/** Replays are over within seconds. */
const REPLAY_RETRY_S = 5;

/** Why there is no place. */
export interface Refused {
  message: string;
  /** Seconds. */
  retryAfter: number;
}

/** Who wants a place: a network, or a user as well. */
export interface Attendant {
  clientAddress: string;
  userId: string | null;
  logger: Logger;
}

/** Limited places. The caller that takes a place must give it back. */
export interface Presence {
  /** Frames that a socket may send at once, and again within a minute. */
  readonly messagesBySocket: number;
  /** What live subscriptions may cost. */
  readonly budget: LiveBudget;
  /** Takes a place for a connection, counted by network. @returns null, or the refusal if all places are taken */
  enter(who: Omit<Attendant, 'userId'>): Refused | null;
  leave(clientAddress: string): void;
  /** Takes a place for a connection of a user, counted by account. @returns null, or the refusal */
  enterAs(who: { userId: string; logger: Logger }): Refused | null;
  leaveAs(userId: string): void;
  /** For a stream. @returns what gives the place back; or why there is none, as the answer to the request */
  stream(who: Attendant): (() => void) | GraphQLError;
  /** A place in the line of those who replay. @throws RATE_LIMITED where the line is full */
  queueReplay(who: Omit<Attendant, 'userId'>): Turn;
}

/**
 * Makes it.
 * @param options.onRefused called for each rejected connection or replay
 */
export function createPresence({
  limits,
  onRefused,
}: {
  limits: PresenceLimits;
  onRefused: (limit: keyof PresenceLimits) => void;
}): Presence {
  const clients = createNetworkSemaphore(limits.connectionsByClient);
  const users = createKeyedSemaphore(limits.connectionsByUser);
  const resuming = createNetworkSemaphore(limits.replaysByClient + limits.replaysWaitingByClient);
  const replays = createKeyedQueue({ atATime: limits.replaysByClient, waiting: limits.replaysWaitingByClient });

  function refusal(limit: keyof PresenceLimits, what: string, retryAfter: number, logger: Logger): Refused {
    onRefused(limit);
    logger.info({ limit, retryAfter }, 'rate limited');
    return { message: `Too many ${what}. Try again in ${retryAfter} s.`, retryAfter };
  }

  const enter: Presence['enter'] = ({ clientAddress, logger }) =>
    clients.take(clientAddress)
      ? null
      : refusal('connectionsByClient', 'connections from your network', CONNECTION_RETRY_S, logger);

  const enterAs: Presence['enterAs'] = ({ userId, logger }) =>
    users.take(userId) ? null : refusal('connectionsByUser', 'connections of this account', CONNECTION_RETRY_S, logger);

  return {
    messagesBySocket: limits.messagesBySocket,
    budget: createLiveBudget({
      byClient: limits.liveCostByClient,
      byNode: limits.liveCostByNode,
      refuse(limit, logger) {
        const whose = limit === 'liveCostByClient' ? 'from your network' : 'on this server';
        return asError(refusal(limit, `subscriptions ${whose}`, CONNECTION_RETRY_S, logger));
      },
    }),
    enter,
    leave: (clientAddress) => clients.leave(clientAddress),
    enterAs,
    leaveAs: (userId) => users.leave(userId),

    stream(who) {
      const { clientAddress, userId, logger } = who;
      const refused = enter(who);
      if (refused !== null) return asError(refused);
      const refusedAs = userId === null ? null : enterAs({ userId, logger });
      if (refusedAs !== null) {
        clients.leave(clientAddress);
        return asError(refusedAs);
      }
      return () => {
        clients.leave(clientAddress);
        if (userId !== null) users.leave(userId);
      };
    },

    queueReplay(who) {
      const { clientAddress } = who;
      const isTaken = resuming.take(clientAddress);
      const turn = isTaken ? replays.enter(clientAddress) : null;
      if (turn !== null) return givingBack(turn, () => resuming.leave(clientAddress));
      if (isTaken) resuming.leave(clientAddress);
      const what = 'subscriptions resuming from your network';
      throw asError(refusal('replaysWaitingByClient', what, REPLAY_RETRY_S, who.logger));
    },
  };
}

/** The turn, which gives a place back once it is left. */
function givingBack(turn: Turn, giveBack: () => void): Turn {
  let left = false;
  return {
    come: turn.come,
    leave() {
      turn.leave();
      if (!left) giveBack();
      left = true;
    },
  };
}

/** For a request as a whole, and for a subscription that has begun. */
function asError({ message, retryAfter }: Refused): GraphQLError {
  const http = { status: 429, headers: { 'retry-after': String(retryAfter) } };
  return new GraphQLError(message, { extensions: { code: 'RATE_LIMITED', retryAfter, http } });
}
