import { v7 as uuid } from 'uuid';
import { describeFault } from '../../events/describe-fault.ts';
import type { EventLog } from '../../events/event-log.ts';
import { readClock } from '../../infra/postgres/clock.ts';
import { isDatabaseAway } from '../../infra/postgres/database-faults.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { Page, PageRequest } from '../../infra/postgres/page.ts';
import type { Nudges } from '../module.ts';
import type { StaffService } from '../staff/staff.service.ts';
import { Refusal, refuse } from '../user-error.ts';
import * as deliveries from './webhook-delivery.repository.ts';
import type { DeliveryQuery, DeliveryRow, DeliveryStatus, PendingDelivery } from './webhook-delivery.repository.ts';
import { webhookReceived } from './webhook.events.ts';
import type { WebhookRequest, WebhookSource } from './webhook.types.ts';

export { SHOWN_BODY } from './webhook-delivery.repository.ts';
export type WebhookDelivery = DeliveryRow;
export type WebhookDeliveryStatus = DeliveryStatus;
export type WebhookDeliveryQuery = DeliveryQuery;
export type LostDelivery = PendingDelivery;

/** How a request is answered. */
export type Receipt = 'STORED' | 'REPEATED' | 'IGNORED' | 'MALFORMED' | 'FORGED';

/** Calls of other systems. A delivery is stored and answered at once, and applied by a job. */
export interface WebhookService {
  /** Adds a source. Called by its module when the services are made. */
  register(source: WebhookSource): void;
  /** Whether a source is registered under this name. */
  has(source: string): boolean;
  /** Checks a request to a registered source, and stores its delivery with its event. Repeated deliveries are stored once. */
  receive(source: string, request: WebhookRequest): Promise<Receipt>;
  /**
   * Applies a delivery that waits, in one transaction that also settles it. A delivery that its source refuses fails as a whole.
   * @throws if something went wrong that may pass: the delivery waits on
   */
  apply(deliveryId: string, signal?: AbortSignal): Promise<void>;
  /** Deliveries whose job may be lost, oldest first. */
  findLost(limit: number): Promise<LostDelivery[]>;
  /** Deletes deliveries that were settled a month ago, in batches. @returns how many */
  prune(signal?: AbortSignal): Promise<number>;
  byIds(ids: readonly string[]): Promise<WebhookDelivery[]>;
  page(query: WebhookDeliveryQuery, page: PageRequest): Promise<Page<WebhookDelivery>>;
  count(query: WebhookDeliveryQuery): Promise<number>;
  /**
   * Schedules a failed delivery to be applied once more. A delivery that waits stays as it is.
   * @throws Refusal: NOT_FOUND; CONFLICT if it did not fail
   */
  retry(actorId: string, deliveryId: string): Promise<WebhookDelivery>;
}

/** Attempts after which a fault that may pass is left to staff. The waits between them double, to hours. */
const MAX_ATTEMPTS = 10;
const LOST_AFTER_S = 30;
const KEPT_DAYS = 30;
const PRUNE_BATCH = 500;

/** Creates the service. */
export function createWebhookService(deps: {
  db: Database;
  staff: StaffService;
  eventLog: EventLog;
  nudges: Pick<Nudges, 'webhookDelivery'>;
}): WebhookService {
  const { db, staff, eventLog, nudges } = deps;
  const sources = new Map<string, WebhookSource>();

  function sourceOf(name: string): WebhookSource {
    const source = sources.get(name);
    if (source === undefined) throw new Error(`no source of webhooks is configured under the name ${name}`);
    return source;
  }

  async function work(delivery: DeliveryRow, signal?: AbortSignal): Promise<void> {
    const { id, topic, subject, body } = delivery;
    const apply = await sourceOf(delivery.source).prepare({ id, key: id, topic, subject, body });
    signal?.throwIfAborted();
    await db.transaction(async (tx) => {
      const row = await deliveries.lockDelivery(tx, id);
      if (row?.status !== 'PENDING') return;
      await deliveries.settleDelivery(tx, id, await apply(tx));
    });
  }

  return {
    register(source) {
      if (sources.has(source.name)) throw new Error(`two sources of webhooks are called ${source.name}`);
      sources.set(source.name, source);
    },

    has: (name) => sources.has(name),

    async receive(name, request) {
      const source = sourceOf(name);
      if (!(await source.isAuthentic(request))) return 'FORGED';
      const body = textOf(request.body);
      const head = body === null ? 'MALFORMED' : source.read(request, body);
      if (body === null || typeof head === 'string') return head as Receipt;
      const { topic, key, subject } = head;
      const id = uuid();
      return db.transaction(async (tx) => {
        const receivedAt = await readClock(tx);
        const stored = await deliveries.insertDelivery(tx, { id, source: name, topic, subject, body, receivedAt, key });
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
        // If this fails, too, the attempt stays counted: no outage alone settles a delivery.
        if (isDatabaseAway(error)) await deliveries.uncountAttempt(db, deliveryId).catch(() => {});
        const given = error instanceof Refusal ? sourceOf(delivery.source).describe(error) : null;
        const last = delivery.attempts >= MAX_ATTEMPTS && signal?.aborted !== true && !isDatabaseAway(error);
        if (given === null && !last) throw error;
        const reason = given ?? describeFault(error);
        await deliveries.settleDelivery(db, deliveryId, { status: 'FAILED', reason, object: null });
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

    byIds: (ids) => deliveries.findDeliveries(db, ids),
    page: (query, page) => deliveries.findDeliveryPage(db, query, page),
    count: (query) => deliveries.countDeliveries(db, query),

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
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** The body as text; null if it is not UTF-8. */
function textOf(body: Uint8Array): string | null {
  try {
    return utf8.decode(body);
  } catch {
    return null;
  }
}
