import type { Database, Transaction } from '../infra/postgres/database.ts';
import { isDatabaseAway } from '../infra/postgres/database-faults.ts';
import type { Page, PageRequest } from '../infra/postgres/page.ts';
import type { Consumer } from './consumer.ts';
import { describeFault } from './describe-fault.ts';
import * as repository from './parked-event.repository.ts';
import type { ParkedEvent } from './parked-event.repository.ts';

export type { ParkedEvent } from './parked-event.repository.ts';

/** What came of handling a parked event once more. */
export type Retried = 'HANDLED' | 'NOT_FOUND' | 'NO_CONSUMER' | { fault: string };

/** Events that consumers could not handle: seen by staff, and handled once more when they say so. */
export interface ParkedEvents {
  /** Those that wait, or all with `resolved`; the latest first. */
  page(query: { resolved: boolean }, page: PageRequest): Promise<Page<ParkedEvent>>;
  count(query: { resolved: boolean }): Promise<number>;
  byIds(ids: readonly string[]): Promise<ParkedEvent[]>;
  /**
   * Handles one now, in this process. A second time it does nothing.
   * @param record writes down that it was, in the same transaction
   */
  retry(id: string, record?: (tx: Transaction, parked: ParkedEvent) => Promise<void>): Promise<Retried>;
}

type Recorder = NonNullable<Parameters<ParkedEvents['retry']>[1]>;

/** Wires them to those who handle them. */
export function createParkedEvents({
  db,
  consumers,
}: {
  db: Database;
  /** Called when an event is retried. */
  consumers: () => readonly Consumer[];
}): ParkedEvents {
  /** One transaction. */
  async function attempt(id: string, record: Recorder): Promise<Retried | 'MORE'> {
    return db.transaction(async (tx) => {
      const parked = await repository.lockParked(tx, id);
      if (parked === null) return 'NOT_FOUND';
      if (parked.resolvedAt !== null) return 'HANDLED';
      const consumer = consumers().find(({ name }) => name === parked.consumer);
      if (consumer === undefined) return 'NO_CONSUMER';
      const { seq, type, subjectId, payload, occurredAt } = parked;
      if ((await consumer.handle(tx, { seq, type, subjectId, payload, occurredAt })) === 'MORE') return 'MORE';
      await repository.markResolved(tx, id);
      await record(tx, parked);
      return 'HANDLED';
    });
  }

  return {
    page: (query, page) => repository.findParkedPage(db, query, page),
    count: (query) => repository.countParked(db, query),
    byIds: (ids) => repository.findParked(db, ids),
    async retry(id, record = async () => {}) {
      try {
        for (;;) {
          const outcome = await attempt(id, record);
          if (outcome !== 'MORE') return outcome;
        }
      } catch (error) {
        if (isDatabaseAway(error)) throw error;
        const fault = describeFault(error);
        await repository.markFailedAgain(db, id, fault);
        return { fault };
      }
    },
  };
}
