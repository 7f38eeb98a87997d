import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { allowOrigin, answerOptions } from './headers.ts';
import type { OriginRule, Refusal } from './origin-rule.ts';
import type { RequestInfo } from './request-info.ts';
import { errorBody, sendJson } from './respond.ts';
import { isPageVisit } from './visit.ts';

/** What executes GraphQL; app.ts hands it in. */
export interface GraphQLHandler {
  handle(req: IncomingMessage, res: ServerResponse, info: RequestInfo): void;
  /** Makes a WebSocket of a request that passed the origin rule; or says why not, where the client has too many. */
  upgrade(
    req: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    info: RequestInfo,
  ): { message: string; retryAfter: number } | null;
  /**
   * Counts a request to a page as it counts operations, and to rate limits by name. Null: nothing is limited.
   * @param more.guesses limits whose points `giveBack` gives back
   */
  admitPage(
    info: RequestInfo,
    more: { guesses: readonly string[]; always: readonly string[] },
  ): Promise<{ allowed: true; giveBack(): void } | { allowed: false; message: string; seconds: number } | null>;
  /** Answers with GraphiQL's page; null where it is off. */
  page: ((req: IncomingMessage, res: ServerResponse) => void) | null;
}

/** The path of everything that is GraphQL. */
export const GRAPHQL_PATH = '/graphql';

export const NOT_OPEN = errorBody('UNAVAILABLE', 'The shop is starting or stopping. Try again shortly.');

/** Takes a request to `/graphql`, over HTTP: the origin rule, CORS, GraphiQL's page, and on to GraphQL. */
export function enterGraphQL(options: {
  req: IncomingMessage;
  res: ServerResponse;
  info: RequestInfo;
  rule: OriginRule;
  graphql: GraphQLHandler | null;
  /** Answers with the page of this path, where GraphiQL is off. */
  pages: RequestListener;
  /** Serves a page unless its client has asked for too many. */
  limited: (res: ServerResponse, info: RequestInfo, serve: () => void) => Promise<void>;
}): void {
  const { req, res, info, rule, graphql, pages, limited } = options;
  res.setHeader('cache-control', 'no-store');
  if (graphql === null) {
    res.setHeader('retry-after', '1');
    sendJson(res, 503, NOT_OPEN);
    return;
  }
  // Where GraphiQL is off, a link with an operation in it is answered with the operation's result.
  const page = graphql.page ?? (req.url?.includes('?') === true ? null : pages);
  if (page !== null && isPageVisit(req)) {
    void limited(res, info, () => page(req, res));
    return;
  }
  allowOrigin(req, res, rule);
  const refusal = rule.checkOrigin(req);
  if (refusal !== null) {
    refuse(res, refusal, info);
  } else if (req.method === 'OPTIONS') {
    answerOptions(req, res);
  } else {
    graphql.handle(req, res, info);
  }
}

/** Answers 403 and leaves word of the setting that would let the request in. */
export function refuse(res: ServerResponse, refusal: Refusal, info: RequestInfo): void {
  logRefusal(refusal, info);
  sendJson(res, 403, errorBody('FORBIDDEN', refusal.message));
}

export function logRefusal({ given, setting, message }: Refusal, { logger, path }: RequestInfo): void {
  logger.warn({ path, given, setting }, `${message} If it should be let in, name it in ${setting}.`);
}
