import type { Transaction } from '../../infra/postgres/database.ts';
import { createSigner } from '../../infra/signer.ts';
import { fullTitle, type ProductVariant } from '../catalog/catalog.service.ts';
import { LimitExceededError, type InputPath } from '../user-error.ts';
import type { LockedCart } from './cart.repository.ts';
import { findHeldByNetworks, isConfirmedUser } from './network-share.repository.ts';

/*
 * What keeps one network from holding all units of a variant, in however many carts: guests of a network (and accounts without a
 * confirmed address, which anybody can make) hold a share of the units on hand together. What they buy leaves the shelf, so that
 * a network of many shoppers can buy everything, one share after the other.
 */

/** The networks of a shopper, the narrowest first: see infra/networks.ts. */
export type Networks = readonly string[];

/** How much of a variant a shopper's networks may hold. */
export interface Share {
  /** Units that the shopper may take in addition. */
  room: number;
  /** Units that the network that leaves the least room may hold in all, and the units that it holds now. */
  limit: number;
  held: number;
}

/** So few units a network may hold in any case: a variant of which there are few can be bought from anywhere. */
const FEW = 4;
const LENGTH = 16;

/** What a change would do to the holds of variants, as far as shares matter. */
export interface ShareQuestion {
  networks: Networks;
  variants: ReadonlyMap<string, ProductVariant>;
  /** The units by which the change would raise the holds of each variant. */
  holds: ReadonlyMap<string, number>;
}

/** Decides under the variants' locks. */
export interface NetworkShares {
  /** What is kept of networks with a cart: hashes that only this shop can make. */
  hide(networks: Networks): string[];
  /**
   * The variants of which a change might exceed a share: none as long as all carts together hold no more of a variant than one
   * network may, which needs no statement.
   */
  scarceOf(change: ShareQuestion): ProductVariant[];
  /**
   * The shares of networks.
   * @param hidden the networks of the shopper, as `hide` gives them
   * @param othersHold the units of a variant that other carts of a network hold
   */
  sharesOf(
    scarce: readonly ProductVariant[],
    cart: Pick<LockedCart, 'holds' | 'lines'>,
    hidden: readonly string[],
    othersHold: (variantId: string, network: string) => number,
  ): ReadonlyMap<string, Share>;
  /** The shares that a change might exceed; empty where it exceeds none. */
  of(tx: Transaction, at: Date, change: ShareQuestion & { cart: LockedCart }): Promise<ReadonlyMap<string, Share>>;
}

const NONE: ReadonlyMap<string, Share> = new Map();

/** Wires the rule. */
export function createNetworkShares(deps: { percent: number; secrets: readonly string[] }): NetworkShares {
  const signer = createSigner(deps.secrets);

  const hide = (networks: Networks) => networks.map((network) => signer.sign('cart network', network).slice(0, LENGTH));

  /** Wider networks, in which there are more shoppers, may hold more: half, three quarters, seven eighths. */
  function limitOf({ onHand }: ProductVariant, width: number): number {
    const share = 1 - (1 - deps.percent / 100) / 2 ** width;
    // Less by a hair, since binary fractions are off by one: 30 % of 10 are three units.
    return Math.max(FEW, Math.ceil(onHand * share - 1e-9));
  }

  function scarceOf({ networks, variants, holds }: ShareQuestion): ProductVariant[] {
    if (networks.length === 0 || deps.percent >= 100) return [];
    return [...holds].flatMap(([id, units]) => {
      const variant = variants.get(id);
      return variant === undefined || units <= 0 || variant.held + units <= limitOf(variant, 0) ? [] : [variant];
    });
  }

  const sharesOf: NetworkShares['sharesOf'] = (scarce, cart, hidden, othersHold) => {
    const own = (id: string) =>
      cart.holds ? cart.lines.reduce((sum, line) => sum + (line.variantId === id ? line.quantity : 0), 0) : 0;
    return new Map(
      scarce.map((variant) => {
        const shares = hidden.map((network, width) => {
          const heldNow = othersHold(variant.id, network) + own(variant.id);
          const limit = limitOf(variant, width);
          return { room: Math.max(0, limit - heldNow), limit, held: heldNow };
        });
        return [variant.id, shares.reduce((least, share) => (share.room < least.room ? share : least))] as const;
      }),
    );
  };

  return {
    hide,
    scarceOf,
    sharesOf,
    async of(tx, at, change) {
      const scarce = scarceOf(change);
      if (scarce.length === 0) return NONE;
      const { cart } = change;
      if (cart.userId !== null && (await isConfirmedUser(tx, cart.userId))) return NONE;
      const hidden = hide(change.networks);
      const ids = scarce.map(({ id }) => id);
      const found = await findHeldByNetworks(tx, ids, hidden, { except: [cart.id], at });
      return sharesOf(
        scarce,
        cart,
        hidden,
        (id, network) => found.find((row) => row.variantId === id && row.network === network)?.units ?? 0,
      );
    },
  };
}

/** The fault of a shopper who wants more of a variant than the shopper's networks may hold; null where there is none. */
export function overShare(
  shares: ReadonlyMap<string, Share> | undefined,
  variant: ProductVariant,
  more: number,
  path: InputPath,
): LimitExceededError | null {
  const share = shares?.get(variant.id);
  if (share === undefined || more <= share.room) return null;
  const { limit, held } = share;
  return new LimitExceededError({
    message: `Carts from your network already hold ${held} units of ${fullTitle(variant)}, of at most ${limit} per network, so that other shoppers can buy some. Try again in a few minutes, or log in to an account with a confirmed email address.`,
    path,
    limit,
    requested: held + more,
    variantId: variant.id,
  });
}
