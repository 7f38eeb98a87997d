import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Config } from '../config/config.ts';
import type { Logger } from '../infra/logger.ts';
import type { Metrics } from '../infra/metrics.ts';
import { CLIENT_LIMITS, createAnswerLimits, limitConnections, type ClientLimits } from './client-limits.ts';
import { trackConnections } from './connections.ts';
import { enterGraphQL, GRAPHQL_PATH, logRefusal, NOT_OPEN, refuse, type GraphQLHandler } from './graphql-edge.ts';
import { securityHeaders } from './headers.ts';
import { createHealth, type Probe } from './health.ts';
import { asksForWebSocket, ignoreUpgrade } from './ignored-upgrade.ts';
import { createOriginRule, defaultPublicUrl } from './origin-rule.ts';
import { createPages, type OtherPages } from './pages.ts';
import { describeRequest, type RequestInfo } from './request-info.ts';
import { faultOfRequest } from './request-target.ts';
import { errorBody, refuseUpgrade, sendJson } from './respond.ts';
import { closeStalledConnections, STALL_CLOCK, type StallClock } from './stalled-connections.ts';
import type { StorefrontRefusal } from './storefront-key.ts';
import { isWrongGuess, linkLimitsOf } from './link-limits.ts';
import { isPageFromDatabase } from './web/web-pages.ts';

/** The shop's HTTP server. It listens from the start, so that a port that is taken shows at once. */
export interface HttpServer {
  port: number;
  /** Where the outside reaches the shop. */
  publicUrl: string;
  /** Bytes of responses and messages that clients have not read yet. */
  unsentBytes(): number;
  /** The shop is ready: requests go through. Without `graphql` only health is served. */
  open(handlers: {
    graphql: GraphQLHandler | null;
    /** What the shop cannot work without. */
    probes: Readonly<Record<string, Probe>>;
    /** What it is slower without. */
    dispensable?: Readonly<Record<string, Probe>> | undefined;
    metrics: Pick<Metrics, 'contentType' | 'text'>;
    pages: OtherPages;
  }): void;
  /** Goes on answering, but reports as not ready, so that load balancers send new requests elsewhere. */
  drain(): void;
  /** Accepts nothing new, finishes requests in progress, and stops at the latest after the grace period. */
  close(graceMs: number): Promise<void>;
}

/** Against clients that send slowly to keep connections busy. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than load balancers keep an idle connection, so that it is they who close it. */
const KEEP_ALIVE_MS = 65_000;

/** For tests: other limits of clients, and another clock for connections that stall. */
export interface HttpOverrides {
  limits?: Partial<ClientLimits>;
  stallClock?: StallClock;
}

/** Starts to listen; answers 503 until it is opened. */
export async function startHttpServer({
  config,
  logger,
  overrides = {},
}: {
  config: Config;
  logger: Logger;
  overrides?: HttpOverrides | undefined;
}): Promise<HttpServer> {
  const server = createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: 5_000,
  });
  const limits = { ...CLIENT_LIMITS, ...overrides.limits };
  // Behind a proxy all connections are the proxy's.
  if (config.rateLimits && config.http.trustedProxies === 0) limitConnections(server, limits);
  const connections = trackConnections(server);
  const stalled = closeStalledConnections(server, overrides.stallClock ?? STALL_CLOCK);
  const answers = config.rateLimits ? createAnswerLimits(limits) : null;
  const api = config.roles.includes('api');
  const health = createHealth({ logger });
  let others: OtherPages | null = null;
  let metrics: Pick<Metrics, 'contentType' | 'text'> | null = null;
  let graphql: GraphQLHandler | null = null;

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: config.http.port, host: config.http.host }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port } = server.address() as AddressInfo;
  const publicUrl = config.http.publicUrl ?? defaultPublicUrl(config.http.host, port);
  const { production, http } = config;
  const { host, corsOrigins, allowedHosts } = http;
  const rule = createOriginRule({ production, host, publicUrl, corsOrigins, allowedHosts });
  const headers = securityHeaders({ publicUrl });

  const { trustedProxies, storefrontKeys } = http;
  const pages = createPages({
    health,
    metrics: async () => (metrics === null ? null : { contentType: metrics.contentType, text: await metrics.text() }),
    metricsToken: config.http.metricsToken,
    approach: { trustedProxies, publicUrl },
    shopName: config.shop.name,
    graphiql: config.http.graphiql,
    api,
    others: () => others,
    logger,
  });
  let strangeProxy = false;

  function describe(req: IncomingMessage): RequestInfo {
    const info = describeRequest(req, { logger, trustedProxies, storefrontKeys });
    if (
      !strangeProxy &&
      trustedProxies === 0 &&
      req.headers['x-forwarded-for'] !== undefined &&
      info.storefront === null
    ) {
      strangeProxy = true;
      logger.warn(
        'received x-forwarded-for while TRUST_PROXY is off; if your own proxy sends the header, all of its clients count as one',
      );
    }
    return info;
  }

  function tooMany(res: ServerResponse, message: string, seconds: number): void {
    res.setHeader('retry-after', String(seconds));
    sendJson(res, 429, errorBody('RATE_LIMITED', message, { retryAfter: seconds }));
  }

  /** Pages that read the database, or are large, count like operations. */
  async function limited(res: ServerResponse, info: RequestInfo, serve: () => void): Promise<void> {
    const verdict = (await graphql?.admitPage(info, linkLimitsOf(res.req.method, info.path))) ?? null;
    if (verdict?.allowed === false) {
      tooMany(res, verdict.message, verdict.seconds);
      return;
    }
    if (verdict !== null) {
      res.once('finish', () => {
        if (!isWrongGuess(res)) verdict.giveBack();
      });
    }
    serve();
  }

  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    const info = describe(req);
    connections.began(req, res);
    logWhenDone(req, res, info);
    res.setHeader('x-request-id', info.id);
    for (const [name, value] of headers) res.setHeader(name, value);
    const fault = faultOfRequest(req);
    if (fault !== null) {
      sendJson(res, 400, errorBody('BAD_REQUEST', fault));
      return;
    }
    const refusal = isForMachines(info, http) ? null : rule.checkHost(req);
    if (refusal !== null) {
      refuse(res, refusal, info);
      return;
    }
    if (info.storefront?.refusal != null) {
      sendJson(res, ...bodyOf(info.storefront.refusal));
      return;
    }
    if (answers !== null && !isHealth(info)) {
      const giveBack = answers.begin(info.clientAddress, req, res);
      if (giveBack === null) {
        tooMany(res, 'Too many concurrent requests from your network. Try again in 1 s.', 1);
        return;
      }
      info.onStream = giveBack;
    }
    if (api && info.path === GRAPHQL_PATH) enterGraphQL({ req, res, info, rule, graphql, pages, limited });
    else if (api && (isPlainPageFromDatabase(info) || isPageFromDatabase(info.path)))
      void limited(res, info, () => pages(req, res));
    else pages(req, res);
  });

  // One for all: a socket keeps it for as long as it lives.
  const hearBroken = (error: Error) => logger.debug({ err: error }, 'connection error');

  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Answers to earlier requests would get into what follows the upgrade. And Node fails an assertion, which would end the
    // process, where a connection is handed back to it before they are sent.
    if (connections.isBusy(req.socket)) {
      socket.destroy();
      return;
    }
    if (!asksForWebSocket(req)) {
      ignoreUpgrade(server, req, socket, head);
      return;
    }
    const info = describe(req);
    connections.handedOver(req.socket);
    socket.on('error', hearBroken);
    const fault = faultOfRequest(req);
    if (fault !== null) {
      refuseUpgrade(socket, 400, errorBody('BAD_REQUEST', fault));
      return;
    }
    if (!api || info.path !== GRAPHQL_PATH) {
      refuseUpgrade(socket, 404, JSON.stringify({ error: 'Not found.' }));
      return;
    }
    const refusal = rule.checkHost(req) ?? rule.checkOrigin(req);
    if (refusal !== null) {
      logRefusal(refusal, info);
      refuseUpgrade(socket, 403, errorBody('FORBIDDEN', refusal.message));
    } else if (info.storefront?.refusal != null) {
      refuseUpgrade(socket, ...bodyOf(info.storefront.refusal));
    } else if (graphql === null) {
      refuseUpgrade(socket, 503, NOT_OPEN);
    } else {
      const refused = graphql.upgrade(req, socket, head, info);
      if (refused === null) return;
      const { message, retryAfter } = refused;
      refuseUpgrade(socket, 429, errorBody('RATE_LIMITED', message, { retryAfter }), [`retry-after: ${retryAfter}`]);
    }
  });

  return {
    port,
    publicUrl,
    open(handlers) {
      ({ graphql, metrics, pages: others } = handlers);
      health.opened(handlers.probes, handlers.dispensable);
    },
    drain() {
      health.stopping();
      connections.drain();
    },
    unsentBytes: () => stalled.unsentBytes(),
    async close(graceMs) {
      health.stopping();
      await connections.close(graceMs);
      stalled.stop();
    },
  };
}

function bodyOf({ status, code, message }: StorefrontRefusal): [400 | 401, string] {
  return [status, errorBody(code, message)];
}

function isPlainPageFromDatabase({ path }: RequestInfo): boolean {
  return path.startsWith('/mail/') || path.startsWith('/pay/');
}

function isHealth({ path }: RequestInfo): boolean {
  return path.startsWith('/health/');
}

/**
 * Load balancers and container engines ask for the health by address, Prometheus for the metrics of each pod. What a token or a
 * signature protects needs no host name besides: a page of a foreign name has neither.
 */
function isForMachines(info: RequestInfo, { metricsToken }: Config['http']): boolean {
  return isHealth(info) || (metricsToken !== null && info.path === '/metrics') || info.path.startsWith('/webhooks/');
}

/** One line for each request: a query string may hold anything, so it is left out. */
function logWhenDone(req: IncomingMessage, res: ServerResponse, info: RequestInfo): void {
  const began = performance.now();
  res.once('close', () => {
    const { method } = req;
    const { path, operation } = info;
    const ms = Math.round((performance.now() - began) * 10) / 10;
    const status = res.writableFinished ? res.statusCode : 'aborted';
    const line = { method, path, status, ms, ...(operation === null ? {} : { operation }) };
    if (isHealth(info)) info.logger.debug(line, 'request');
    else info.logger.info(line, 'request');
  });
}
