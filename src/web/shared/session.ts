import { serverNow } from './clock.ts';
import { createStore } from './store.ts';

/*
 * The session of this browser. Its tokens are cookies that no script can read; what a script may know is when the access token
 * ends. All tabs share that.
 */

const UNTIL = 'vitrine.session-until';
/** Changes with every log-in and log-out: other tabs then start over. */
const EPOCH = 'vitrine.session-epoch';
/** A session is renewed this long before its end, so that no request is late. */
const RENEW_MS = 60_000;

/** Counts the sessions of this tab: whatever was read under another number belongs to somebody else. */
export const sessionEpoch = createStore(0);
/** Whether a session ended without a log-out; a page then leads to the log-in. */
export const sessionEnded = createStore(false);

/** Storage is off in some private windows: the session then works all the same, and tabs know less of each other. */
function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // As above.
  }
}

/** Whether somebody has logged in on this browser, as far as a script can know. */
export function hasSession(): boolean {
  return read(UNTIL) !== null;
}

/** Somebody logged in or out here: everything that was read belongs to the one before. */
export function beginSession(accessTokenExpiresAt: string | null): void {
  write(UNTIL, accessTokenExpiresAt);
  write(EPOCH, `${Date.now()}-${Math.random()}`);
  sessionEnded.set(false);
  sessionEpoch.set(sessionEpoch.get() + 1);
}

window.addEventListener('storage', ({ key }) => {
  if (key === EPOCH) sessionEpoch.set(sessionEpoch.get() + 1);
});

interface Refreshed {
  data?: { refreshSession: { accessTokenExpiresAt: string | null; errors: { code: string }[] } | null } | null;
}

let renewing: Promise<void> | null = null;

/**
 * Renews the session, once for all who ask at the same time, in every tab.
 * @throws where the shop did not answer. Resolves also where the session has ended: the browser then has no cookies of it
 */
export function renewSession(): Promise<void> {
  const before = read(UNTIL);
  renewing ??= inTurn(() => renew(before)).finally(() => {
    renewing = null;
  });
  return renewing;
}

/** @param before the end of the access token that will not do */
async function renew(before: string | null): Promise<void> {
  const known = read(UNTIL);
  // Another tab was quicker.
  if (known !== before) return;
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: 'mutation { refreshSession { accessTokenExpiresAt errors { code } } }' }),
  });
  if (response.status >= 500 || response.status === 429) {
    throw new Error(`The session could not be renewed: ${response.status}`);
  }
  const { data } = (await response.json()) as Refreshed;
  const until = data?.refreshSession?.accessTokenExpiresAt ?? null;
  if (until !== null) {
    write(UNTIL, until);
  } else if (known !== null) {
    beginSession(null);
    sessionEnded.set(true);
  }
}

function inTurn(task: () => Promise<void>): Promise<void> {
  return 'locks' in navigator ? navigator.locks.request('vitrine.session', task) : task();
}

/** Renews the session where its access token is about to end. */
async function renewIfDue(): Promise<void> {
  const until = read(UNTIL);
  if (until === null || Date.parse(until) - serverNow() > RENEW_MS) return;
  // Where that fails the request itself shows it.
  await renewSession().catch(() => {});
}

/** Like `fetch`, with the session of the user: renews the session before the request if it is about to end, and if it was refused. */
export const sessionFetch: typeof fetch = async (input, init) => {
  await renewIfDue();
  const response = await fetch(input, init);
  if (response.status !== 401) return response;
  await renewSession();
  return fetch(input, init);
};
