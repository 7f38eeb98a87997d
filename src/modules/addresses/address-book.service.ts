import { v7 as uuid } from 'uuid';
import { readClock } from '../../infra/postgres/clock.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import { LimitExceededError, Refusal, refuse } from '../user-error.ts';
import type { Address } from './address.types.ts';
import * as repository from './address-book.repository.ts';
import type { UserAddress } from './address-book.repository.ts';

export type { UserAddress } from './address-book.repository.ts';

/** The most addresses that a user may keep. */
export const MAX_ADDRESSES = 50;

/** The address books of users. Each change takes the user's lock, so that the changes of one user come one after another. */
export interface AddressBookService {
  /** The default address first, then the latest first. */
  list(userId: string): Promise<UserAddress[]>;
  /**
   * Adds an address. The first one becomes the default address.
   * @throws Refusal: LIMIT_EXCEEDED
   */
  create(userId: string, address: Address, isDefault: boolean): Promise<UserAddress>;
  /** Replaces an address. @throws Refusal: NOT_FOUND */
  update(userId: string, id: string, address: Address): Promise<UserAddress>;
  /** Deletes an address. If it was the default one, there is none any more. @throws Refusal: NOT_FOUND */
  delete(userId: string, id: string): Promise<void>;
  /** Makes an address the default one; null: none. @throws Refusal: NOT_FOUND */
  setDefault(userId: string, id: string | null): Promise<UserAddress | null>;
}

function refuseUnknown(): never {
  refuse('NOT_FOUND', 'Address not found.', ['id']);
}

/** Wires the address books to a database. */
export function createAddressBookService({ db }: { db: Database }): AddressBookService {
  const list = (userId: string) => repository.findAddresses(db, userId);

  async function changing(userId: string, work: (tx: Transaction, at: Date) => Promise<string>): Promise<UserAddress> {
    return db.transaction(async (tx) => {
      await repository.lockUser(tx, userId);
      const id = await work(tx, await readClock(tx));
      const address = (await repository.findAddresses(tx, userId)).find((one) => one.id === id);
      if (address === undefined) throw new Error(`address ${id} is gone under the lock of its user`);
      return address;
    });
  }

  return {
    list,

    create: (userId, address, isDefault) =>
      changing(userId, async (tx, at) => {
        const { length } = await repository.findAddresses(tx, userId);
        if (length >= MAX_ADDRESSES) {
          const message = `An address book can have at most ${MAX_ADDRESSES} addresses.`;
          throw new Refusal(
            new LimitExceededError({ message, path: null, limit: MAX_ADDRESSES, requested: length + 1 }),
          );
        }
        const id = uuid();
        await repository.insertAddress(tx, at, { ...address, id, userId });
        if (isDefault || length === 0) await repository.setDefault(tx, userId, id);
        return id;
      }),

    update: (userId, id, address) =>
      changing(userId, async (tx, at) => {
        if (!(await repository.updateAddress(tx, at, { ...address, id, userId }))) refuseUnknown();
        return id;
      }),

    delete: (userId, id) =>
      db.transaction(async (tx) => {
        await repository.lockUser(tx, userId);
        if (!(await repository.deleteAddress(tx, userId, id))) refuseUnknown();
      }),

    async setDefault(userId, id) {
      if (id !== null) {
        return changing(userId, async (tx) => {
          if (!(await repository.setDefault(tx, userId, id))) refuseUnknown();
          return id;
        });
      }
      await db.transaction(async (tx) => {
        await repository.lockUser(tx, userId);
        await repository.setDefault(tx, userId, null);
      });
      return null;
    },
  };
}
