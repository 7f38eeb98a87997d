import { createHash } from 'node:crypto';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database } from '../../infra/postgres/database.ts';
import { isPlain } from '../input.ts';
import type { WebhookRequest, WebhookSource } from '../webhooks/webhook.types.ts';
import type { createEntryApplication } from './apply-entry.ts';
import { entrySys, eventOfTopic, parseEntry } from './entry.ts';
import { describeRefusal } from './fields.ts';
import type { Prepare } from './prepare.ts';
import { areSigned, headerOf, isSigned, isTimely, signedAt } from './signature.ts';

const TOPIC = 'x-contentful-topic';
const KEY = 'x-contentful-idempotency-key';
const MAX_KEY = 200;

/** Creates the source of Contentful's webhooks. */
export function createContentfulSource(deps: {
  db: Database;
  secret: string;
  /** ID of the content type whose entries are products. */
  contentType: string;
  prepare: Prepare;
  applyEntry: ReturnType<typeof createEntryApplication>;
}): WebhookSource {
  const { db, secret, contentType, prepare, applyEntry } = deps;
  return {
    name: 'contentful',

    async isAuthentic(request) {
      const at = signedAt(request);
      if (at === null || !isSigned(request, secret)) return false;
      // What a delivery is and which one it is: unsigned, a publish could be turned into a delete, or sent again.
      if (!areSigned(request, [TOPIC, KEY])) return false;
      return isTimely(at, await readClock(db));
    },

    read(request: WebhookRequest, text: string) {
      const read = readBody(text);
      if (read === null) return 'MALFORMED';
      const topic = headerOf(request, TOPIC) ?? '';
      if (eventOfTopic(topic) === null) return 'IGNORED';
      const { entryId, revision } = read;
      if (entryId === null) return 'MALFORMED';
      const key = headerOf(request, KEY);
      return {
        topic,
        key: isKey(key) ? `key:${key}` : hashOf(topic, entryId, revision, text),
        subject: entryId,
      };
    },

    async prepare({ topic, body }) {
      const event = eventOfTopic(topic);
      if (event === null) throw new Error(`a delivery of ${topic} is waiting`);
      const change = parseEntry(event, JSON.parse(body));
      if (change.contentType !== null && change.contentType !== contentType) {
        const reason = `The entry has another content type: ${change.contentType}.`;
        return () => Promise.resolve({ status: 'SKIPPED', reason, object: null });
      }
      const ready = await prepare(change);
      return async (tx) => {
        const { status, reason, productId } = await applyEntry(tx, ready);
        return { status, reason, object: productId === null ? null : { type: 'Product', id: productId } };
      };
    },

    describe: describeRefusal,
  };
}

function isKey(key: string | null): key is string {
  return key !== null && key !== '' && key.length <= MAX_KEY && isPlain(key);
}

function hashOf(...parts: (string | number | null)[]): string {
  return `hash:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

/** What a body is about; null if it is no JSON object. */
function readBody(text: string): { entryId: string | null; revision: number | null } | null {
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read !== 'object' || read === null || Array.isArray(read)) return null;
    const { sys } = read as { sys?: unknown };
    const { data } = entrySys.safeParse(sys);
    const { revision } = (sys ?? {}) as { revision?: unknown };
    return { entryId: data?.id ?? null, revision: typeof revision === 'number' ? revision : null };
  } catch {
    return null;
  }
}
