import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { localised } from './contentful.ts';

/** An entry of the stand-in's space. */
export interface SpaceEntry {
  id: string;
  /** Values in the shop's locale, as last published. */
  fields?: Record<string, unknown>;
  state?: 'PUBLISHED' | 'DRAFT' | 'ARCHIVED';
  revision?: number;
  minute?: number;
}

/** A stand-in that speaks Contentful's management API over HTTP, as far as the shop asks it. */
export interface ContentfulServer extends AsyncDisposable {
  /** For CONTENTFUL_HOST. */
  host: string;
  entries: SpaceEntry[];
  /** Assets by id: their addresses. */
  assets: Map<string, string>;
  /** Answers to be given first, each once. */
  troubles: { status: number; headers?: Record<string, string> }[];
  /** What was asked, path and query. */
  asked: string[];
  /** Comes before each answer. */
  before: (path: string) => Promise<void> | void;
}

export const SPACE = { CONTENTFUL_SPACE_ID: 'space1', CONTENTFUL_MANAGEMENT_TOKEN: 'CFPAT-not-to-be-seen' };

const MANAGEMENT = 'application/vnd.contentful.management.v1+json';

function entityOf({ id, fields = {}, state = 'PUBLISHED', revision = 1, minute = 0 }: SpaceEntry): object {
  const at = new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();
  const sys = {
    id,
    type: 'Entry',
    contentType: { sys: { type: 'Link', linkType: 'ContentType', id: 'product' } },
    createdAt: at,
    updatedAt: at,
    version: revision * 2,
    publishedCounter: revision,
    ...(state === 'PUBLISHED' ? { publishedVersion: revision * 2 - 1, publishedAt: at } : {}),
    ...(state === 'ARCHIVED' ? { archivedAt: at, archivedVersion: revision * 2 } : {}),
  };
  return { sys, fields: localised(fields) };
}

/** Starts one, with an empty space. */
export async function startContentfulServer(): Promise<ContentfulServer> {
  const state = { entries: [] as SpaceEntry[], assets: new Map<string, string>(), asked: [] as string[] };
  const troubles: ContentfulServer['troubles'] = [];
  const space: ContentfulServer = { host: '', ...state, troubles, before: () => {}, [Symbol.asyncDispose]: close };

  function answer(path: string, query: URLSearchParams): { status: number; body: object } {
    const [, room, list] = /^\/spaces\/space1\/environments\/master\/((?:public\/)?(entries|assets))$/.exec(path) ?? [];
    if (room === undefined) return { status: 404, body: { sys: { type: 'Error', id: 'NotFound' } } };
    const ids = query.get('sys.id[in]')?.split(',');
    const all =
      list === 'assets'
        ? [...space.assets].map(([id, url]) => ({
            sys: { id, type: 'Asset' },
            fields: localised({ title: `Picture ${id}`, file: { url, contentType: 'image/jpeg' } }),
          }))
        : space.entries
            .filter((entry) => room === 'entries' || (entry.state ?? 'PUBLISHED') === 'PUBLISHED')
            .map((entry) => entityOf(entry));
    const chosen = (all as { sys: { id: string } }[])
      .filter(({ sys }) => ids?.includes(sys.id) !== false)
      .toSorted((a, b) => (a.sys.id < b.sys.id ? -1 : 1));
    const [skip, limit] = [Number(query.get('skip') ?? 0), Number(query.get('limit') ?? 100)];
    const items = chosen.slice(skip, skip + limit);
    return { status: 200, body: { sys: { type: 'Array' }, total: chosen.length, skip, limit, items } };
  }

  const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '', 'http://localhost');
    space.asked.push(req.url ?? '');
    const send = (status: number, body: object, headers: Record<string, string> = {}) => {
      res.writeHead(status, { 'content-type': MANAGEMENT, ...headers });
      res.end(JSON.stringify(body));
    };
    void Promise.resolve(space.before(pathname)).then(() => {
      const trouble = troubles.shift();
      if (req.headers.authorization !== `Bearer ${SPACE.CONTENTFUL_MANAGEMENT_TOKEN}`) {
        send(401, { sys: { type: 'Error', id: 'AccessTokenInvalid' }, message: 'The access token is not valid.' });
      } else if (trouble !== undefined) {
        send(trouble.status, { sys: { type: 'Error', id: 'Trouble' }, message: 'Trouble.' }, trouble.headers);
      } else {
        const { status, body } = answer(pathname, searchParams);
        send(status, body);
      }
    });
  });

  async function close(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  space.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return space;
}
