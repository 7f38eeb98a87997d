import type { PlainClientAPI } from 'contentful-management';
import { isLoopback, type ContentfulConfig } from '../../config/config.ts';
import { within } from '../../infra/within.ts';

/** A picture as the CMS has it. */
export interface Picture {
  url: string;
  altText: string | null;
}

/** The CMS's space, to read. Faults that pass (429, 5xx, a broken connection) are tried again by the client itself. */
export interface Space {
  /** Published entries of the content type, page by page, each as it was last published. */
  published(): AsyncGenerator<{ entries: unknown[]; total: number }>;
  /** Entries as they are, by id: also drafts and archived ones. Who is not there is gone. */
  entries(ids: readonly string[]): Promise<Map<string, unknown>>;
  /** Assets by id, as far as they are files. */
  pictures(ids: readonly string[]): Promise<Map<string, Picture>>;
}

const PAGE = 100;
const REQUEST_MS = 10_000;
/** Also with all tries; a job must not wait for ever. */
const ANSWER_MS = 60_000;

/** Opens the space that the configuration names; null where it names none, or no token for it. */
export function createSpace(config: ContentfulConfig): Space | null {
  const { spaceId, environment, managementToken, host, contentType, locale } = config;
  if (spaceId === null || managementToken === null) return null;
  let opened: Promise<PlainClientAPI> | undefined;

  // Loaded by those alone who need it: it is large.
  async function open({ token, space }: { token: string; space: string }): Promise<PlainClientAPI> {
    const { createClient } = await import('contentful-management');
    const insecure = isLoopback(host.replace(/:\d+$/, ''));
    return createClient(
      { accessToken: token, host, insecure, timeout: REQUEST_MS, retryLimit: 5, logHandler: () => {} },
      { type: 'plain', defaults: { spaceId: space, environmentId: environment } },
    );
  }

  const ask = async <T>(question: (client: PlainClientAPI) => Promise<T>): Promise<T> => {
    opened ??= open({ token: managementToken, space: spaceId }).catch((error: unknown) => {
      // The next question tries again.
      opened = undefined;
      throw error;
    });
    const client = await opened;
    const answer = question(client).catch((error: unknown) => Promise.reject(plainFault(error)));
    return within(ANSWER_MS, answer, 'Contentful did not answer in time');
  };

  /** In portions: the ids stand in the address. */
  async function byIds<T extends { sys: { id: string } }>(
    ids: readonly string[],
    read: (client: PlainClientAPI, query: Record<string, string | number>) => Promise<{ items: T[] }>,
  ): Promise<T[]> {
    const all: T[] = [];
    const distinct = [...new Set(ids)];
    for (let first = 0; first < distinct.length; first += PAGE / 2) {
      const query = { 'sys.id[in]': distinct.slice(first, first + PAGE / 2).join(','), limit: PAGE };
      all.push(...(await ask((client) => read(client, query))).items);
    }
    return all;
  }

  return {
    async *published() {
      for (let skip = 0; ; skip += PAGE) {
        const query = { content_type: contentType, order: 'sys.id', limit: PAGE, skip };
        const { items, total } = await ask((client) => client.entry.getPublished({ query }));
        yield { entries: items, total };
        if (items.length === 0 || skip + PAGE >= total) return;
      }
    },

    async entries(ids) {
      const found = await byIds(ids, (client, query) => client.entry.getMany({ query }));
      return new Map(found.map((entry) => [entry.sys.id, entry]));
    },

    async pictures(ids) {
      const found = await byIds(ids, (client, query) => client.asset.getMany({ query }));
      return new Map(found.flatMap((asset) => pictureOf(asset, locale)));
    },
  };
}

/** A file without an address is still being processed. */
function pictureOf(
  { sys, fields }: { sys: { id: string }; fields: { title?: unknown; file?: unknown } },
  locale: string,
): [string, Picture][] {
  const file = localised(fields.file, locale) as { url?: unknown } | null;
  const title = localised(fields.title, locale);
  if (typeof file?.url !== 'string') return [];
  const url = file.url.startsWith('//') ? `https:${file.url}` : file.url;
  return [[sys.id, { url, altText: typeof title === 'string' && title.trim() !== '' ? title : null }]];
}

function localised(field: unknown, locale: string): unknown {
  if (typeof field !== 'object' || field === null) return null;
  return Object.hasOwn(field, locale) ? (field as Record<string, unknown>)[locale] : null;
}

/** The client's errors hold the request, and in it the token. */
function plainFault(error: unknown): Error {
  const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
  let status = '';
  try {
    const { status: code, statusText } = JSON.parse(message) as { status?: unknown; statusText?: unknown };
    status = [code, statusText].filter((part) => part !== undefined && part !== '').join(' ');
  } catch {
    status = message.slice(0, 200);
  }
  return new Error(`Contentful: ${name}${status === '' ? '' : ` (${status})`}`);
}
