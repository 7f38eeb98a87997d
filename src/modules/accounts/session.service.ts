import { v7 as uuid } from 'uuid';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import { refuse, type InputPath } from '../user-error.ts';
import { createAccessTokens } from './access-token.ts';
import { createSuccessors, hashRefreshToken, makeRefreshToken } from './refresh-token.ts';
import { credentialsReplaced, sessionEnded, type EndReason } from './session.events.ts';
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

/** The user of a request, according to the access token and the row of its session. */
export interface Identity {
  userId: string;
  role: Role;
  sessionId: string;
  /** Until the token, or the session, runs out: counted by the database's clock. */
  expiresInMs: number;
}

/** What a client was known by until now. */
export interface Replaced {
  guestId: string | null;
  sessionId: string | null;
}

/** Sessions: one for each device that is logged in. */
export interface SessionService {
  /** Begins one, in the caller's transaction. */
  open(tx: Transaction, userId: string, userAgent: string | null): Promise<IssuedTokens>;
  /**
   * Gives new tokens for a refresh token, which cannot be used again. If it is used again within ten seconds (two tabs, a lost
   * answer), the answer is the same successor. Later use means that a copy was stolen, and ends the session.
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
  /** Whether the session of an access token was refreshed after the token was issued. */
  isRefreshed(accessToken: string): Promise<boolean>;
  /** Session of a refresh token; null if the token is invalid. */
  ofRefreshToken(refreshToken: string): Promise<{ id: string; userId: string } | null>;
  /** Says, in the caller's transaction, that a client has other credentials from now on than these. */
  replace(tx: Transaction, old: Replaced): Promise<void>;
  /** Ends the sockets and streams of a guest whose cookie is deleted. */
  forgetGuest(guestId: string): Promise<void>;
  /** Ends a session by its user's wish; it may have ended. */
  logOut(sessionId: string): Promise<void>;
  /**
   * Ends one session of a user.
   * @throws Refusal: NOT_FOUND where the user has no such session that is live
   */
  logOutElsewhere(userId: string, sessionId: string, path: InputPath | null): Promise<void>;
  /** Ends all sessions of a user. */
  logOutEverywhere(userId: string): Promise<void>;
  /** Ends all of a user's sessions, in the caller's transaction. */
  endAll(tx: Transaction, userId: string, reason: EndReason): Promise<void>;
  /** A user's live sessions, the one that was used last first. */
  list(userId: string): Promise<Session[]>;
}

/** Validity of a refresh token, and of an unused session, in seconds. */
export const REFRESH_SECONDS = 30 * 24 * 60 * 60;
/** Two tabs may wake up with the same token. */
const REUSE_MS = 10_000;
const MAX_USER_AGENT = 300;

const INVALID = 'The refresh token is invalid or has expired. Log in again.';

/** Wires the sessions. */
export function createSessionService(deps: {
  db: Database;
  eventLog: EventLog;
  secrets: readonly string[];
  /** Seconds after which a session ends, however often it is refreshed. */
  maxSeconds: number;
}): SessionService {
  const { db, eventLog, maxSeconds } = deps;
  const successors = createSuccessors(deps.secrets);
  const accessTokens = createAccessTokens(deps.secrets);

  /** Signs an access token to go with a refresh token. */
  function issue(userId: string, sessionId: string, at: Date, refreshToken: string): IssuedTokens {
    const { token, expiresAt } = accessTokens.sign({ userId, sessionId }, at);
    return { sessionId, accessToken: token, accessTokenExpiresAt: expiresAt, refreshToken };
  }

  async function write(tx: Transaction, sessionId: string, at: Date, refreshToken: string): Promise<void> {
    const hash = hashRefreshToken(refreshToken);
    if (hash === null) throw new Error('a refresh token that was just made is none');
    await repository.insertRefreshToken(tx, hash, sessionId, at);
  }

  /** When a session that is no longer used ends. */
  const endOf = (createdAt: Date, usedAt: Date) =>
    new Date(Math.min(plusLifetime(usedAt).getTime(), createdAt.getTime() + maxSeconds * 1000));

  /** The token that is live now in place of one that was spent a moment ago; null where there is none. */
  async function findLiveSuccessor(tx: Transaction, spent: string): Promise<string | null> {
    for (const candidate of successors.candidates(spent)) {
      const hash = hashRefreshToken(candidate);
      const state = hash === null ? null : await repository.readRefreshState(tx, hash);
      // The first caller may have refreshed again in the meantime.
      if (state !== null) return state.spentAt === null ? candidate : findLiveSuccessor(tx, candidate);
    }
    return null;
  }

  async function announceEnd(
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
    if (ended !== null) await announceEnd(tx, at, [ended], reason);
  }

  async function endAll(tx: Transaction, userId: string, reason: EndReason): Promise<void> {
    const { at, ended } = await repository.endSessionsOfUser(tx, userId);
    await announceEnd(tx, at, ended, reason);
  }

  /** Null: the token is not valid. What follows from that is committed all the same. */
  async function rotate(tx: Transaction, given: string, hash: Buffer) {
    const session = await repository.findSessionOfToken(tx, hash);
    if (session === null) return null;
    await repository.lockSession(tx, session.id);
    const state = await repository.readRefreshState(tx, hash);
    if (state === null || !state.live) return null;
    const { now, createdAt, sessionCreatedAt, spentAt, userId, role } = state;
    if (spentAt !== null && now.getTime() - spentAt.getTime() > REUSE_MS) {
      await end(tx, session.id, now, 'TOKEN_REUSED');
      return null;
    }
    if (now >= plusLifetime(createdAt) || now >= endOf(sessionCreatedAt, now)) return null;
    const successor = spentAt === null ? successors.of(given) : await findLiveSuccessor(tx, given);
    if (successor === null) return null;
    if (spentAt === null) {
      await repository.spendToken(tx, session.id, hash, now, endOf(sessionCreatedAt, now));
      await write(tx, session.id, now, successor);
    }
    return { userId, role, sessionId: session.id, tokens: issue(userId, session.id, now, successor) };
  }

  async function replace(tx: Transaction, { guestId, sessionId }: Replaced): Promise<void> {
    const subject = sessionId ?? guestId;
    if (subject === null) return;
    await eventLog.append(tx, await readClock(tx), [credentialsReplaced.of(subject, { guestId, sessionId })]);
  }

  return {
    replace,
    forgetGuest: (guestId) => db.transaction((tx) => replace(tx, { guestId, sessionId: null })),

    async open(tx, userId, userAgent) {
      const at = await readClock(tx);
      const id = uuid();
      await repository.insertSession(tx, {
        id,
        userId,
        userAgent: userAgent === null ? null : shortened(userAgent),
        createdAt: at,
        expiresAt: endOf(at, at),
      });
      const refreshToken = makeRefreshToken();
      await write(tx, id, at, refreshToken);
      return issue(userId, id, at, refreshToken);
    },

    async refresh(refreshToken, path) {
      const hash = hashRefreshToken(refreshToken);
      const refreshed = hash === null ? null : await db.transaction((tx) => rotate(tx, refreshToken, hash));
      return refreshed ?? refuse('TOKEN_INVALID', INVALID, path);
    },

    async identify(accessToken) {
      const claims = accessTokens.read(accessToken);
      if (claims === null) return null;
      const { userId, sessionId, expiresAt } = claims;
      const live = await repository.findLiveSession(db, sessionId, userId, expiresAt);
      return live === null ? null : { userId, sessionId, ...live };
    },

    async isRefreshed(accessToken) {
      const claims = accessTokens.read(accessToken);
      if (claims === null) return false;
      // Tokens contain whole seconds: the refresh that issued this one may be up to a second later than its time.
      const { sessionId, issuedAt } = claims;
      return repository.wasRefreshedAfter(db, sessionId, new Date(issuedAt.getTime() + 1000));
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

    logOutElsewhere: (userId, sessionId, path) =>
      db.transaction(async (tx) => {
        const at = await readClock(tx);
        const ended = await repository.endSessionOfUser(tx, sessionId, userId, at);
        if (ended === null) refuse('NOT_FOUND', 'You have no session with this ID.', path);
        else await announceEnd(tx, at, [ended], 'LOGOUT');
      }),

    logOutEverywhere: (userId) => db.transaction((tx) => endAll(tx, userId, 'LOGOUT')),
    endAll,
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
