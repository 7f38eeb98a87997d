import { v7 as uuid } from 'uuid';
import type { CartConfig } from '../../config/config.ts';
import type { Outcome as CommandOutcome } from '../../infra/command-batches.ts';
import type { NewEvent } from '../../events/event.ts';
import type { GuestService, NamedGuest } from '../accounts/guest.service.ts';
import type { ProductVariant } from '../catalog/catalog.service.ts';
import type { StockChange } from '../inventory/inventory.service.ts';
import { Refusal } from '../user-error.ts';
import type { BatchCart, BatchLocks, BatchWrite } from './cart-batch.repository.ts';
import { assertNotPinned, decide } from './cart.decisions.ts';
import { ownerIdOf, type CartOwner } from './cart-owner.ts';
import type { CartLine, LockedCart } from './cart.repository.ts';
import type { LinePlan, Shelf } from './cart.rules.ts';
import type { Networks, NetworkShares, Share } from './network-share.ts';

/** A command on the lines of one cart. */
export interface LineCommand {
  /** Null: a guest is made for the command. */
  owner: CartOwner | null;
  /** A cart is made if there is none. */
  begins: boolean;
  /** Variants and lines that the command names. */
  variantIds: readonly string[];
  lineIds: readonly string[];
  /** The most units by which the command may raise the hold of a variant. */
  mostUnits: number;
  plan: (lines: readonly CartLine[], shelf: Shelf) => LinePlan;
  networks: Networks;
}

/** What a command did in a batch. */
export interface Carried {
  cart: LockedCart;
  guest: NamedGuest | null;
  /** The variants that the command was about, as the batch left them. */
  variants: readonly ProductVariant[];
  /** Whether the command changed anything. */
  changed: boolean;
}

/** What became of a command. */
export type Outcome = CommandOutcome<Carried, Refusal>;

export interface WorkbenchDependencies {
  guests: Pick<GuestService, 'make'>;
  config: CartConfig;
  shares: NetworkShares;
}

/** What a batch has locked and read, and what its commands have done to that so far. */
export class Workbench {
  readonly now: Date;
  readonly variants: Map<string, ProductVariant>;
  /** What is to be written. */
  readonly changes: BatchWrite[] = [];
  readonly moves: StockChange[] = [];
  readonly events: NewEvent[] = [];
  readonly made: NamedGuest[] = [];
  /** The units of scarce variants that carts of networks hold beside those of the batch. */
  heldElsewhere: readonly { variantId: string; network: string; units: number }[] | null = null;
  readonly #deps: WorkbenchDependencies;
  readonly #carts: Map<string, BatchCart>;
  readonly #locked: ReadonlySet<string>;
  readonly #termsVersion: bigint;

  constructor(
    deps: WorkbenchDependencies,
    found: BatchLocks & {
      carts: readonly BatchCart[];
      variants: readonly ProductVariant[];
      termsVersion: bigint;
    },
  ) {
    this.#deps = deps;
    this.now = found.now;
    this.variants = new Map(found.variants.map((variant) => [variant.id, variant]));
    this.#carts = new Map(found.carts.map((cart) => [cart.userId ?? cart.guestId ?? '', cart]));
    this.#locked = new Set([...found.cartIds, ...found.variantIds, ...found.ownerIds]);
    this.#termsVersion = found.termsVersion;
  }

  /** The variants of which commands might exceed the share of a network. */
  scarce(commands: readonly LineCommand[]): string[] {
    const wanted = new Map<string, number>();
    const networks = commands.flatMap((command) => command.networks);
    for (const command of commands) {
      const ids = command.lineIds.length === 0 ? command.variantIds : [...this.variants.keys()];
      for (const id of ids) wanted.set(id, (wanted.get(id) ?? 0) + command.mostUnits);
    }
    return this.#deps.shares.scarceOf({ networks, variants: this.variants, holds: wanted }).map(({ id }) => id);
  }

  /** Decides a command, and keeps what is to be written of it. */
  carry(command: LineCommand): Outcome {
    try {
      return this.#carry(command);
    } catch (error) {
      if (error instanceof Refusal) return { refused: error };
      throw error;
    }
  }

  #carry(command: LineCommand): Outcome {
    const found = this.#cartOf(command);
    if (found === null) return 'ALONE';
    const { cart, guest } = found;
    assertNotPinned(cart);
    const lines = cart.lines.filter(({ id }) => command.lineIds.includes(id));
    const ids = [...new Set([...command.variantIds, ...lines.map(({ variantId }) => variantId)])];
    // A variant that came to be, or whose line did, after the locks were taken.
    const isUnlocked = (id: string) => !this.#locked.has(id);
    if (lines.some(({ variantId }) => isUnlocked(variantId))) return 'ALONE';
    if (ids.some((id) => this.variants.has(id) && isUnlocked(id))) return 'ALONE';

    const variants = new Map(ids.flatMap((id) => this.variants.get(id) ?? []).map((variant) => [variant.id, variant]));
    const shelf: Shelf = { variants, limits: this.#deps.config };
    const first = command.plan(cart.lines, shelf);
    const shares = this.#sharesOf(command, cart, variants, first);
    if (shares === 'UNKNOWN') return 'ALONE';
    const plan = shares.size === 0 ? first : command.plan(cart.lines, { ...shelf, shares });
    const { now } = this;
    const { config } = this.#deps;
    const networks = () => this.#deps.shares.hide(command.networks);
    const { networks: _before, isConfirmed, ...bare } = cart;
    const decision = decide(bare, plan, { now, config, kind: 'LINES', partial: false, networks });
    const carried = { guest, variants: [...variants.values()] };
    if (decision === null) return found.isNew ? 'ALONE' : { done: { ...carried, cart: bare, changed: false } };
    const { after, write, moves, event } = decision;
    this.changes.push({ cart, isNew: found.isNew, write });
    this.moves.push(...moves);
    this.events.push(event);
    if (command.owner === null && guest !== null) this.made.push(guest);
    for (const { variantId, heldDelta = 0 } of moves) this.#hold(variantId, heldDelta);
    this.#carts.set(after.userId ?? after.guestId ?? '', {
      ...after,
      networks: [...(write.networks ?? cart.networks)],
      isConfirmed,
    });
    return { done: { ...carried, cart: after, changed: true } };
  }

  /** The owner's cart, or a new one; null if only a transaction of its own can say what there is. */
  #cartOf({ owner, begins }: LineCommand): { cart: BatchCart; guest: NamedGuest | null; isNew: boolean } | null {
    if (owner === null) {
      const guest = this.#deps.guests.make();
      return { cart: this.#newCart({ guestId: guest.id }), guest, isNew: true };
    }
    const ownerId = ownerIdOf(owner);
    const cart = this.#carts.get(ownerId);
    if (cart === undefined) {
      return begins && this.#locked.has(ownerId) ? { cart: this.#newCart(owner), guest: null, isNew: true } : null;
    }
    const isOverdue = cart.expiresAt !== null && cart.expiresAt <= this.now;
    if (!this.#locked.has(cart.id) || cart.status !== 'ACTIVE' || isOverdue) return null;
    return { cart, guest: null, isNew: false };
  }

  #newCart(owner: CartOwner): BatchCart {
    return {
      id: uuid(),
      guestId: 'guestId' in owner ? owner.guestId : null,
      userId: 'userId' in owner ? owner.userId : null,
      status: 'ACTIVE',
      email: null,
      version: 1,
      holdStartedAt: null,
      expiresAt: null,
      lines: [],
      discountCodes: [],
      shippingAddress: null,
      shippingMethodId: null,
      paymentId: null,
      pins: 0,
      termsVersion: this.#termsVersion,
      readAt: this.now,
      holds: true,
      networks: [],
      isConfirmed: false,
    };
  }

  #hold(variantId: string, units: number): void {
    const variant = this.variants.get(variantId);
    if (variant === undefined) throw new Error(`units of an unknown variant ${variantId} are to be held`);
    const { held, available } = variant;
    this.variants.set(variantId, { ...variant, held: held + units, available: available - units });
  }

  /** The shares that the command might exceed; UNKNOWN if they were not read. */
  #sharesOf(
    { networks }: LineCommand,
    cart: BatchCart,
    variants: ReadonlyMap<string, ProductVariant>,
    { holds }: LinePlan,
  ): ReadonlyMap<string, Share> | 'UNKNOWN' {
    const { shares } = this.#deps;
    const scarce = shares.scarceOf({ networks, variants, holds });
    if (scarce.length === 0 || cart.isConfirmed) return new Map();
    // Whether the address of a user without a cart is confirmed was not read.
    const isUnknownUser = cart.userId !== null && !this.#locked.has(cart.id);
    if (this.heldElsewhere === null || isUnknownUser) return 'UNKNOWN';
    const elsewhere = this.heldElsewhere;
    return shares.sharesOf(scarce, cart, shares.hide(networks), (variantId, network) => {
      const found = elsewhere.find((row) => row.variantId === variantId && row.network === network);
      let units = found?.units ?? 0;
      for (const other of this.#carts.values()) {
        if (other.id === cart.id || other.isConfirmed || !other.networks.includes(network)) continue;
        if (other.expiresAt === null || other.expiresAt <= this.now || !this.#isOurs(other)) continue;
        for (const line of other.lines) if (line.variantId === variantId) units += line.quantity;
      }
      return units;
    });
  }

  /** Whether a cart is locked or made by the batch, and so is not counted among the others. */
  #isOurs({ id }: BatchCart): boolean {
    return this.#locked.has(id) || this.changes.some(({ cart }) => cart.id === id);
  }
}
