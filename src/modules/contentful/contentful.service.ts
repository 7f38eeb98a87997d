import { createHash } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { ContentfulConfig } from '../../config/config.ts';
import { describeFault } from '../../events/describe-fault.ts';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import { isDatabaseAway } from '../../infra/postgres/database-faults.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import { isPlain } from '../input.ts';
import type { Nudges } from '../module.ts';
import type { StaffService } from '../staff/staff.service.ts';
import { Refusal, refuse } from '../user-error.ts';
import { createEntryApplication, type ApplyingDependencies, type Outcome } from './apply-entry.ts';
import { webhookReceived } from './contentful.events.ts';
import * as deliveries from './delivery.repository.ts';
import type { DeliveryQuery, DeliveryRow, DeliveryStatus } from './delivery.repository.ts';
import { entrySys, eventOfTopic, parseEntry } from './entry.ts';
import { describeRefusal } from './fields.ts';
import { createPreparation } from './prepare.ts';
import { areSigned, isSigned, isTimely, signedAt, type SignedRequest } from './signature.ts';
import { createSpace } from './space.ts';
import { createContentfulSync, type ContentfulSync } from './sync.ts';

export { SHOWN_BODY } from './delivery.repository.ts';
export type { ContentfulSync, Drift, SyncReport } from './sync.ts';
export type { SignedRequest } from './signature.ts';
export type WebhookDelivery = DeliveryRow;
export type WebhookDeliveryStatus = DeliveryStatus;
export type WebhookDeliveryQuery = DeliveryQuery;

/** What is said to who delivered something. */
export type Receipt = 'STORED' | 'REPEATED' | 'IGNORED' | 'MALFORMED';

/** The CMS that changes the catalogue. */
export interface ContentfulService {
  /** Whether there is a webhook at all. */
  readonly isOpen: boolean;
  /** Whether a request was signed with the shop's secret, within the last five minutes. */
  isAuthentic(request: SignedRequest): Promise<boolean>;
  /** Stores a delivery, with its event, for a job to apply. Repeated ones are stored once. */
  receive(delivery: { topic: string; key: string | null; body: Uint8Array }): Promise<Receipt>;
  /**
   * Applies a delivery that waits, in one transaction; bad fields settle it as failed, and nothing is applied.
   * @throws where something went wrong that may pass: it waits on
   */
  apply(deliveryId: string, signal?: AbortSignal): Promise<void>;
  /** Deliveries whose job may be lost, the oldest first. */
  findLost(limit: number): Promise<string[]>;
  /** Deletes deliveries that were settled a month ago, in batches; gives how many. */
  prune(signal?: AbortSignal): Promise<number>;
  deliveriesByIds(ids: readonly string[]): Promise<WebhookDelivery[]>;
  deliveryPage(query: WebhookDeliveryQuery, page: PageRequest): Promise<Page<WebhookDelivery>>;
  deliveryCount(query: WebhookDeliveryQuery): Promise<number>;
  /**
   * Has a delivery that failed be applied once more; one that waits does so already.
   * @throws Refusal: NOT_FOUND, CONFLICT where it did not fail
   */
  retry(actorId: string, deliveryId: string): Promise<WebhookDelivery>;
  /** Compares the whole space with the catalogue; null where no space and token are configured. */
  sync: ContentfulSync | null;
}

/** What the CMS's module needs. */
export interface ContentfulDependencies extends ApplyingDependencies {
  db: Database;
  staff: StaffService;
  eventLog: EventLog;
  config: ContentfulConfig;
  currency: string;
  nudges: Pick<Nudges, 'webhookDelivery'>;
}

const SOURCE = 'contentful';
/** Headers that say what a delivery means. */
const ACTED_ON = ['x-contentful-topic', 'x-contentful-idempotency-key'];
/** Of faults that may pass: then staff are asked. The waits between them double, to hours. */
const MAX_ATTEMPTS = 10;
const LOST_AFTER_S = 30;
const KEPT_DAYS = 30;
const PRUNE_BATCH = 500;
const MAX_KEY = 200;

/** Wires it. */
export function createContentfulService(deps: ContentfulDependencies): ContentfulService {
  const { db, staff, eventLog, config, nudges } = deps;
  const applyEntry = createEntryApplication(deps);
  const space = createSpace(config);
  const prepare = createPreparation({ config, currency: deps.currency, space });

  /** Reads and fetches all that a delivery needs, then applies it. */
  async function work(delivery: DeliveryRow, signal?: AbortSignal): Promise<void> {
    const event = eventOfTopic(delivery.topic);
    if (event === null) throw new Error(`a delivery of ${delivery.topic} is waiting`);
    const change = parseEntry(event, JSON.parse(delivery.body));
    const isOther = change.contentType !== null && change.contentType !== config.contentType;
    const ready = isOther ? null : await prepare(change);
    signal?.throwIfAborted();
    await db.transaction(async (tx) => {
      const row = await deliveries.lockDelivery(tx, delivery.id);
      if (row?.status !== 'PENDING') return;
      const outcome: Outcome =
        ready === null
          ? { status: 'SKIPPED', reason: `The entry has another content type: ${change.contentType}.`, productId: null }
          : await applyEntry(tx, ready);
      await deliveries.settleDelivery(tx, delivery.id, outcome);
    });
  }

  return {
    isOpen: config.webhookSecret !== null,

    async isAuthentic(request) {
      const at = signedAt(request);
      if (config.webhookSecret === null || at === null || !isSigned(request, config.webhookSecret)) return false;
      // What a delivery is and which one it is: unsigned, a publish could be turned into a delete, or sent again.
      if (!areSigned(request, ACTED_ON)) return false;
      return isTimely(at, await readClock(db));
    },

    async receive({ topic, key, body }) {
      const read = readBody(body);
      if (read === null) return 'MALFORMED';
      if (eventOfTopic(topic) === null) return 'IGNORED';
      const { text, entryId, revision } = read;
      if (entryId === null) return 'MALFORMED';
      const id = uuid();
      return db.transaction(async (tx) => {
        const receivedAt = await readClock(tx);
        const stored = await deliveries.insertDelivery(tx, {
          id,
          source: SOURCE,
          topic,
          entryId,
          body: text,
          receivedAt,
          key: isKey(key) ? `key:${key}` : hashOf(topic, entryId, revision, text),
        });
        if (!stored) return 'REPEATED';
        await eventLog.append(tx, receivedAt, [webhookReceived.of(id, { deliveryId: id })]);
        tx.afterCommit(() => nudges.webhookDelivery(id));
        return 'STORED';
      });
    },

    async apply(deliveryId, signal) {
      const delivery = await deliveries.countAttempt(db, deliveryId);
      if (delivery === null) return;
      try {
        await work(delivery, signal);
      } catch (error) {
        // Where this fails, too, it stays counted: no outage alone settles a delivery.
        if (isDatabaseAway(error)) await deliveries.uncountAttempt(db, deliveryId).catch(() => {});
        const given = error instanceof Refusal ? describeRefusal(error) : null;
        const last = delivery.attempts >= MAX_ATTEMPTS && signal?.aborted !== true && !isDatabaseAway(error);
        if (given === null && !last) throw error;
        const reason = given ?? describeFault(error);
        await deliveries.settleDelivery(db, deliveryId, { status: 'FAILED', reason, productId: null });
      }
    },

    findLost: (limit) => deliveries.findPending(db, LOST_AFTER_S, limit),

    async prune(signal) {
      let pruned = 0;
      while (signal?.aborted !== true) {
        const gone = await deliveries.pruneDeliveries(db, KEPT_DAYS, PRUNE_BATCH);
        pruned += gone;
        if (gone < PRUNE_BATCH) break;
      }
      return pruned;
    },

    deliveriesByIds: (ids) => deliveries.findDeliveries(db, ids),
    deliveryPage: (query, page) => deliveries.findDeliveryPage(db, query, page),
    deliveryCount: (query) => deliveries.countDeliveries(db, query),

    retry: (actorId, deliveryId) =>
      db.transaction(async (tx) => {
        const delivery = await deliveries.lockDelivery(tx, deliveryId);
        if (delivery === null) return refuse('NOT_FOUND', 'Delivery not found.', ['id']);
        if (delivery.status === 'PENDING') return delivery;
        if (delivery.status !== 'FAILED') refuse('CONFLICT', 'Only a failed delivery can be retried.', ['id']);
        const at = await readClock(tx);
        const subject = { type: 'WebhookDelivery', id: deliveryId } as const;
        await staff.record(tx, at, { actorId, kind: 'WEBHOOK_DELIVERY_RETRIED', subject, note: delivery.reason });
        tx.afterCommit(() => nudges.webhookDelivery(deliveryId));
        return deliveries.reopenDelivery(tx, deliveryId);
      }),

    sync: space === null ? null : createContentfulSync({ ...deps, space, prepare, applyEntry }),
  };
}

function isKey(key: string | null): key is string {
  return key !== null && key !== '' && key.length <= MAX_KEY && isPlain(key);
}

function hashOf(...parts: (string | number | null)[]): string {
  return `hash:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** What a body is of; null where it is no object of JSON. */
function readBody(body: Uint8Array): { text: string; entryId: string | null; revision: number | null } | null {
  try {
    const text = utf8.decode(body);
    const read: unknown = JSON.parse(text);
    if (typeof read !== 'object' || read === null || Array.isArray(read)) return null;
    const { sys } = read as { sys?: unknown };
    const { data } = entrySys.safeParse(sys);
    const { revision } = (sys ?? {}) as { revision?: unknown };
    return { text, entryId: data?.id ?? null, revision: typeof revision === 'number' ? revision : null };
  } catch {
    return null;
  }
}
