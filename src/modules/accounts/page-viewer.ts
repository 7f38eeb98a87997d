import type { IncomingMessage } from 'node:http';
import type { Config } from '../../config/config.ts';
import type { SessionService } from './session.service.ts';
import { createCookieReader } from './cookies.ts';

/** Returns the role of the user who requests a page besides GraphQL; null if no user is logged in. */
export type PageViewer = (req: IncomingMessage) => Promise<string | null>;

const BEARER = /^bearer +(\S+) *$/i;

/** Makes it: by the same credentials as the API, the header before the cookie. */
export function createPageViewer(options: {
  config: Config;
  publicUrl: string;
  sessions: Pick<SessionService, 'identify'>;
}): PageViewer {
  const readCookies = createCookieReader(options.config, options.publicUrl);
  return async (req) => {
    const { authorization } = req.headers;
    const token = authorization === undefined ? readCookies(req, null).accessToken : BEARER.exec(authorization)?.[1];
    const identity = token === undefined || token === '' ? null : await options.sessions.identify(token);
    return identity?.role ?? null;
  };
}
