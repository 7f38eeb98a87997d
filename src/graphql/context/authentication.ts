import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Config } from '../../config/config.ts';
import type { EventFeed } from '../../events/feed.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Watched, WatchEnd } from '../../modules/credential-watch.ts';
import type { ShopServices } from '../../modules/module.ts';

/*
 * How the API learns who is asking. What credentials are, where they stand in a request, and who can ask besides users with a
 * role is up to the module that registers an Authentication. It adds what it knows to Viewer and Identification by module
 * augmentation, as modules do with loaders.
 */

/** A user who is logged in. The role decides on fields that are restricted. */
export interface AuthenticatedUser {
  userId: string;
  sessionId: string;
  role: 'CUSTOMER' | 'STAFF' | 'ADMIN';
}

/** Who is asking. A mutation that logs a user in or out changes the viewer for the fields that follow in the operation. */
export interface Viewer {
  user: AuthenticatedUser | null;
}

/** A viewer for whom something is executed once for several viewers, and the name that they have in common. */
export interface StandIn {
  viewer: Viewer;
  viewerKey: string;
}

/** What is known of the caller of an operation. All of it is part of the operation's context. */
export interface Identification {
  viewer: Viewer;
}

/** The headers of a request that opened a socket, as far as they are kept. */
export type OpeningHeaders = IncomingHttpHeaders;

/** What a socket was opened with. */
export interface SocketOpening {
  headers: OpeningHeaders;
  connectionParams: unknown;
}

type WithHeaders = Pick<IncomingMessage, 'headers'>;

/** Called when credentials end. After EXPIRED the watch goes on; any other reason is the last. */
export type OnCredentialsOver = (why: WatchEnd) => void;

/** Identifies callers, and watches their credentials. */
export interface Authentication {
  /**
   * Identifies the caller of an operation over HTTP.
   * @param options.isEntry the operation only logs in or out: credentials that are not valid count as none
   * @throws UNAUTHENTICATED if credentials are present and not valid
   */
  ofRequest(req: WithHeaders, res: ServerResponse, options: { isEntry: boolean }): Promise<Identification>;
  /** Identifies the caller of an operation over WebSocket. @throws UNAUTHENTICATED if credentials are present and not valid */
  ofSocket(opening: SocketOpening): Promise<Identification>;
  /** A viewer who is no particular user: one with a role, or one without an account. */
  anonymous(role: AuthenticatedUser['role'] | null): Viewer;
  /**
   * The viewer without a session, who stands for all devices of the same owner; null for a viewer who owns nothing.
   * Fields that are declared OWNED show the same to all viewers with the same key: viewers differ in their keys if they differ in their
   * rights, or in any of their credentials that a field shows. Where the viewer is a user, so is the stand-in.
   */
  ownerAlone(viewer: Viewer): StandIn | null;
  /** A caller without credentials, for what is executed for a viewer apart from any request. */
  standIn(viewer: Viewer): Identification;
  /** Whether a request names a user, validly or not. */
  namesUser(req: WithHeaders): boolean;
  /** Takes the headers that identify the caller out of a request that opens a socket. */
  openingHeadersOf(req: WithHeaders): OpeningHeaders;
  /** Credentials for a visitor who opens a socket without any, with the `Set-Cookie` that hands them over; null for all others. */
  offerFor(req: WithHeaders): { setCookie: string; headers: OpeningHeaders } | null;
  /** Watches the credentials of an operation over HTTP, for as long as it streams. */
  watch(caller: Identification, over: OnCredentialsOver): Promise<Watched>;
  /** Watches the credentials that a socket was opened with; null if it has none to watch. */
  watchSocket(opening: SocketOpening, over: OnCredentialsOver): Promise<Watched | null>;
  /** Whether the client of a socket has newer credentials than those that it opened the socket with. */
  hasNewer(opening: SocketOpening): Promise<boolean>;
  dispose(): void;
}

/** What an Authentication is made of. */
export interface AuthenticationDeps {
  config: Config;
  /** Where the outside reaches the shop; an origin without a slash at its end. */
  publicUrl: string;
  services: ShopServices;
  feed: EventFeed;
  logger: Logger;
}

let make: ((deps: AuthenticationDeps) => Authentication) | null = null;

/** Says how callers are identified. Called once, when the API is put together. */
export function registerAuthentication(maker: (deps: AuthenticationDeps) => Authentication): void {
  make = maker;
}

/** Creates the registered Authentication. */
export function createAuthentication(deps: AuthenticationDeps): Authentication {
  if (make === null) throw new Error('no module has registered how callers are identified');
  return make(deps);
}
