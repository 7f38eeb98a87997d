import type { GraphQLError } from 'graphql';
import { networksAround } from '../../infra/limits/networks.ts';
import type { Logger } from '../../infra/logger.ts';

/*
 * What the live subscriptions of a network, and of the node, cost with each event: the sum of the costs of those that are
 * executed one by one, and of each answer that is made once for all who subscribed to it. A network pays for such an answer
 * once, however many of its subscriptions share it; the node does, however many networks.
 */

/** What a subscription was charged. */
export interface Charge {
  /** Gives it back. More than once does no harm. */
  release(): void;
}

/** Who subscribes, and to what. */
export interface Subscriber {
  clientAddress: string;
  /** Of an event, as the schema counts it. */
  cost: number;
  /** Names the answer that is made for all who subscribed to it; null where it is made for this one alone. */
  key: string | null;
  logger: Logger;
}

export interface LiveBudget {
  /** @returns what was charged; or the refusal where the network, or the node, has too much already */
  charge(subscriber: Subscriber): Charge | GraphQLError;
  /** The lane of the event queue in which an answer is made: its network's, or one for those that several networks share. */
  laneOf(key: string): string;
}

/** Answers that several networks wait for: no network can crowd their lane alone. */
const COMMON_LANE = '';

/** An answer that is made once. */
interface Share {
  readonly key: string;
  readonly cost: number;
  /** Subscriptions by network. */
  readonly clients: Map<string, number>;
}

/** Where nothing is limited. */
export const NO_BUDGET: LiveBudget = { charge: () => ({ release: () => {} }), laneOf: () => COMMON_LANE };

/**
 * Makes the budget of a node.
 * @param options.byClient cost that one network may have; the IPv6 networks around it have some times as much
 * @param options.byNode cost of all of them
 * @param options.refuse makes the refusal
 */
export function createLiveBudget(options: {
  byClient: number;
  byNode: number;
  refuse: (limit: 'liveCostByClient' | 'liveCostByNode', logger: Logger) => GraphQLError;
}): LiveBudget {
  const { byClient, byNode, refuse } = options;
  const clients = new Map<string, number>();
  const shares = new Map<string, Share>();
  let node = 0;

  function pay(client: string, ofClient: number, ofNode: number): void {
    if (ofClient !== 0) {
      for (const { network } of networksAround(client)) {
        const sum = (clients.get(network) ?? 0) + ofClient;
        if (sum > 0) clients.set(network, sum);
        else clients.delete(network);
      }
    }
    node += ofNode;
  }

  function leaveShare(share: Share, client: string): void {
    const left = (share.clients.get(client) ?? 0) - 1;
    if (left > 0) {
      share.clients.set(client, left);
      return;
    }
    share.clients.delete(client);
    const isLast = share.clients.size === 0;
    if (isLast) shares.delete(share.key);
    pay(client, -share.cost, isLast ? -share.cost : 0);
  }

  class Paid implements Charge {
    #released = false;
    readonly #client: string;
    readonly #cost: number;
    readonly #share: Share | null;

    constructor(client: string, cost: number, share: Share | null) {
      this.#client = client;
      this.#cost = cost;
      this.#share = share;
    }

    release(): void {
      if (this.#released) return;
      this.#released = true;
      if (this.#share === null) pay(this.#client, -this.#cost, -this.#cost);
      else leaveShare(this.#share, this.#client);
    }
  }

  return {
    charge({ clientAddress, cost, key, logger }) {
      const known = key === null ? undefined : shares.get(key);
      const mine = known?.clients.get(clientAddress) ?? 0;
      const ofClient = mine > 0 ? 0 : cost;
      const ofNode = known === undefined ? cost : 0;
      const isTooMuch = ({ network, times }: { network: string; times: number }) =>
        (clients.get(network) ?? 0) + ofClient > byClient * times;
      if (ofClient > 0 && networksAround(clientAddress).some(isTooMuch)) return refuse('liveCostByClient', logger);
      if (ofNode > 0 && node + ofNode > byNode) return refuse('liveCostByNode', logger);
      pay(clientAddress, ofClient, ofNode);
      if (key === null) return new Paid(clientAddress, cost, null);
      const share = known ?? { key, cost, clients: new Map<string, number>() };
      shares.set(key, share);
      share.clients.set(clientAddress, mine + 1);
      return new Paid(clientAddress, cost, share);
    },
    laneOf(key) {
      const networks = shares.get(key)?.clients;
      const [only = COMMON_LANE] = networks?.keys() ?? [];
      return networks?.size === 1 ? only : COMMON_LANE;
    },
  };
}
