import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { extname, join, relative, sep } from 'node:path';

/*
 * The files of the built web apps, read once: together they are smaller than two megabytes. Their names hold a digest of
 * their content, so that browsers may keep them for good.
 */

type Bytes = Uint8Array<ArrayBuffer>;

interface WebFile {
  type: string;
  etag: string;
  bytes: Bytes;
  /** Content compressed by the build. */
  br: Bytes | null;
  gzip: Bytes | null;
}

/** The built web apps. */
export interface WebFiles {
  /** The text of an app's document, such as `shop/index.html`. */
  document(path: string): string | null;
  /** Answers a request for a file; null where there is none of this name. */
  answer(path: string, headers: IncomingHttpHeaders): Response | null;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
};
const YEAR = 'public, max-age=31536000, immutable';
const DAY = 'public, max-age=86400';

/** Reads the files of a build into memory. */
export async function readWebFiles(folder: string): Promise<WebFiles> {
  const files = new Map<string, WebFile>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries) {
    const type = TYPES[extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const file = join(entry.parentPath, entry.name);
    const bytes = await readBytes(file);
    if (bytes === null) continue;
    files.set(relative(folder, file).split(sep).join('/'), {
      type,
      etag: createHash('sha1').update(bytes).digest('base64url'),
      bytes,
      br: await readBytes(`${file}.br`),
      gzip: await readBytes(`${file}.gz`),
    });
  }

  return {
    document(path) {
      const file = files.get(path);
      return file === undefined ? null : new TextDecoder().decode(file.bytes);
    },
    answer(path, headers) {
      const file = files.get(path);
      // Documents are answered with what the server adds to them, and never by their file names.
      if (file === undefined || path.endsWith('.html')) return null;
      const [encoding, body] = encodingFor(file, headers['accept-encoding'] ?? '');
      const etag = `"${file.etag}${encoding === null ? '' : `-${encoding}`}"`;
      const shared = {
        etag,
        'cache-control': path.startsWith('assets/') ? YEAR : DAY,
        ...(file.br === null && file.gzip === null ? {} : { vary: 'accept-encoding' }),
      };
      if (headers['if-none-match'] === etag) return new Response(null, { status: 304, headers: shared });
      return new Response(body, {
        headers: {
          ...shared,
          'content-type': file.type,
          'content-length': String(body.length),
          ...(encoding === null ? {} : { 'content-encoding': encoding }),
        },
      });
    },
  };
}

async function readBytes(file: string): Promise<Bytes | null> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function encodingFor(file: WebFile, accepted: string): [string | null, Bytes] {
  const accepts = (name: string) =>
    accepted.split(',').some((item) => {
      const [token, weight] = item.split(';').map((part) => part.trim());
      return token === name && !/^q=0(\.0*)?$/.test(weight ?? '');
    });
  if (file.br !== null && accepts('br')) return ['br', file.br];
  if (file.gzip !== null && accepts('gzip')) return ['gzip', file.gzip];
  return [null, file.bytes];
}
