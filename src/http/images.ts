import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';

const FOLDER = new URL('../../assets/images/', import.meta.url);

/** A plain file name: nothing that leads out of the folder, nothing hidden. */
const NAME = /^[\w-][\w.-]{0,99}$/;

const TYPES: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
};

export interface ImageFile {
  bytes: Uint8Array<ArrayBuffer>;
  headers: Record<'etag' | 'content-type', string> & Record<string, string>;
}

/** Those that were asked for: all answers share their bytes. */
const read = new Map<string, ImageFile>();

/** One of the shop's own pictures; null where there is none of this name. */
export async function readImage(name: string): Promise<ImageFile | null> {
  const known = read.get(name);
  if (known !== undefined) return known;
  const image = await readFileOf(name);
  if (image !== null) read.set(name, image);
  return image;
}

async function readFileOf(name: string): Promise<ImageFile | null> {
  const type = TYPES[extname(name)];
  if (type === undefined || !NAME.test(name)) return null;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = await readFile(new URL(name, FOLDER));
  } catch (error) {
    if (['ENOENT', 'EISDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
  return {
    bytes,
    headers: {
      'content-type': type,
      etag: `"${createHash('sha1').update(bytes).digest('base64url')}"`,
      'cache-control': 'public, max-age=86400',
      // Shown on the pages of shops that live on other sites.
      'cross-origin-resource-policy': 'cross-origin',
      // An SVG that is opened by itself is a document, and must not run anything.
      ...(type === 'image/svg+xml'
        ? { 'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'" }
        : {}),
    },
  };
}
