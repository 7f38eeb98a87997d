import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/clock.ts';
import type { Database, Transaction } from '../../infra/database.ts';
import { refuse, type InputPath } from '../user-error.ts';
import { createAccessTokens } from './access-token.ts';
import { hashRefreshToken, makeRefreshToken } from './refresh-token.ts';
import { sessionEnded, type EndReason } from './session.events.ts';
import * as repository from './session.repository.ts';
import type { Role, Session } from './session.repository.ts';

export type { Role, Session } from './session.repository.ts';

/** What a client is given to stay logged in with. */
export interface IssuedTokens {
  sessionId: string;
  accessToken: string;
  accessTokenExpiresAt: Date;
  refreshToken: string;
}

/** Who asks, as an access token and its session's row say together. */
export interface Identity {
  userId: string;
  role: Role;
  sessionId: string;
  /** Until the token, or the session, runs out: counted by the database's clock. */
  expiresInMs: number;
}

/** Sessions: one for each device that is logged in. */
export interface SessionService {
  /** Begins one, in the caller's transaction. */
  open(tx: Transaction, userId: string, userAgent: string | null): Promise<IssuedTokens>;
  /**
   * Gives new tokens for a refresh token, which is spent by it. A spent one that comes again within ten seconds (two tabs)
   * gets tokens of the same session; later it was stolen, from whoever came first or second: the session ends.
   * @throws Refusal: TOKEN_INVALID
   */
  refresh(
    refreshToken: string,
    path: InputPath | null,
  ): Promise<Omit<Identity, 'expiresInMs'> & { tokens: IssuedTokens }>;
  /** Who an access token names, its session being live; else null. */
  identify(accessToken: string): Promise<Identity | null>;
  /** The session that an access token was signed for, whether or not either is live still; null where we signed none. */
  sessionOf(accessToken: string): string | null;
  /** The session of a refresh token, likewise. */
  ofRefreshToken(refreshToken: string): Promise<{ id: string; userId: string } | null>;
  /** Ends a session by its user's wish; it may have ended. */
  logOut(sessionId: string): Promise<void>;
  /** The same for all of a user's. */
  logOutEverywhere(userId: string): Promise<void>;
  /** Ends all of a user's sessions but this one, in the caller's transaction. */
  endOthers(tx: Transaction, userId: string, sessionId: string, reason: EndReason): Promise<void>;
  /** Ends all of a user's sessions, in the caller's transaction. */
  endAll(tx: Transaction, userId: string, reason: EndReason): Promise<void>;
  /** A user's live sessions, the one that was used last first. */
  list(userId: string): Promise<Session[]>;
}

/** How long a refresh token is good for, and a session that nobody uses. */
export const REFRESH_SECONDS = 30 * 24 * 60 * 60;
/** Two tabs may wake up with the same token. */
const REUSE_MS = 10_000;
const MAX_USER_AGENT = 300;

const INVALID = 'The refresh token is not valid, or not any more: log in again.';

/** Wires the sessions. */
export function createSessionService(deps: {
  db: Database;
  eventLog: EventLog;
  secrets: readonly string[];
}): SessionService {
  const { db, eventLog } = deps;
  const accessTokens = createAccessTokens(deps.secrets);

  /** Writes a new refresh token, and signs an access token to go with it. */
  async function issue(tx: Transaction, userId: string, sessionId: string, at: Date): Promise<IssuedTokens> {
    const refreshToken = makeRefreshToken();
    const hash = hashRefreshToken(refreshToken);
    if (hash === null) throw new Error('a refresh token that was just made is none');
    await repository.insertRefreshToken(tx, hash, sessionId, at);
    const { token, expiresAt } = accessTokens.sign({ userId, sessionId }, at);
    return { sessionId, accessToken: token, accessTokenExpiresAt: expiresAt, refreshToken };
  }

  async function tell(
    tx: Transaction,
    at: Date,
    ended: readonly { id: string; userId: string }[],
    reason: EndReason,
  ): Promise<void> {
    const events = ended.map(({ id, userId }) => sessionEnded.of(id, { sessionId: id, userId, reason }));
    await eventLog.append(tx, at, events);
  }

  async function end(tx: Transaction, sessionId: string, at: Date, reason: EndReason): Promise<void> {
    const ended = await repository.endSession(tx, sessionId, at);
    if (ended !== null) await tell(tx, at, [ended], reason);
  }

  async function endAll(tx: Transaction, userId: string, except: string | null, reason: EndReason): Promise<void> {
    const { at, ended } = await repository.endSessionsOfUser(tx, userId, except);
    await tell(tx, at, ended, reason);
  }

  /** Null: the token is not valid. What follows from that is committed all the same. */
  async function rotate(tx: Transaction, hash: Buffer) {
    const session = await repository.findSessionOfToken(tx, hash);
    if (session === null) return null;
    await repository.lockSession(tx, session.id);
    const state = await repository.readRefreshState(tx, hash);
    if (state === null || !state.live) return null;
    const { now, createdAt, spentAt, userId, role } = state;
    if (spentAt !== null && now.getTime() - spentAt.getTime() > REUSE_MS) {
      await end(tx, session.id, now, 'TOKEN_REUSED');
      return null;
    }
    if (now >= plusLifetime(createdAt)) return null;
    await repository.spendToken(tx, session.id, hash, now, plusLifetime(now));
    return { userId, role, sessionId: session.id, tokens: await issue(tx, userId, session.id, now) };
  }

  return {
    async open(tx, userId, userAgent) {
      const at = await readClock(tx);
      const id = uuid();
      await repository.insertSession(tx, {
        id,
        userId,
        userAgent: userAgent === null ? null : shortened(userAgent),
        createdAt: at,
        expiresAt: plusLifetime(at),
      });
      return issue(tx, userId, id, at);
    },

    async refresh(refreshToken, path) {
      const hash = hashRefreshToken(refreshToken);
      const refreshed = hash === null ? null : await db.transaction((tx) => rotate(tx, hash));
      return refreshed ?? refuse('TOKEN_INVALID', INVALID, path);
    },

    async identify(accessToken) {
      const claims = accessTokens.read(accessToken);
      if (claims === null) return null;
      const { userId, sessionId, expiresAt } = claims;
      const live = await repository.findLiveSession(db, sessionId, userId, expiresAt);
      return live === null ? null : { userId, sessionId, ...live };
    },

    sessionOf: (accessToken) => accessTokens.read(accessToken)?.sessionId ?? null,

    async ofRefreshToken(refreshToken) {
      const hash = hashRefreshToken(refreshToken);
      return hash === null ? null : repository.findSessionOfToken(db, hash);
    },

    logOut: (sessionId) =>
      db.transaction(async (tx) => {
        await repository.lockSession(tx, sessionId);
        await end(tx, sessionId, await readClock(tx), 'LOGOUT');
      }),

    logOutEverywhere: (userId) => db.transaction((tx) => endAll(tx, userId, null, 'LOGOUT')),
    endOthers: (tx, userId, sessionId, reason) => endAll(tx, userId, sessionId, reason),
    endAll: (tx, userId, reason) => endAll(tx, userId, null, reason),
    list: (userId) => repository.findSessionsOfUser(db, userId),
  };
}

function plusLifetime(at: Date): Date {
  return new Date(at.getTime() + REFRESH_SECONDS * 1000);
}

/** A header may be long, and hold what no text should. */
function shortened(userAgent: string): string {
  return userAgent.replaceAll(/\p{Cc}+/gu, ' ').slice(0, MAX_USER_AGENT);
}
