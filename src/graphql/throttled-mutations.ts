import { defaultFieldResolver, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import type { Ask } from '../infra/rate-limiter.ts';
import { isOwnedBy } from '../modules/cart/cart-owner.ts';
import type { Context } from './context.ts';
import { idOf } from './global-id.ts';
import type { RateLimitName } from './rate-limits.ts';
import { refuseField } from './throttle.ts';
import { ownerOf } from './viewer.ts';

/*
 * Which mutations ask which limits, before anything else of them is done. Each field asks for itself, so that aliases
 * count. Every mutation that is not here needs none but the general limit, and is named as such in
 * tests/api/throttled-mutations.test.ts.
 */

interface MutationAsk extends Ask<RateLimitName> {
  /** What was done does not count where it succeeded. */
  backOnSuccess?: true;
}

// The arguments have passed GraphQL: they are what the schema says. What the module makes of them is another question.
type Rule = (args: never, ctx: Context) => MutationAsk[] | Promise<MutationAsk[]>;

const byClient = (limit: RateLimitName, { clientAddress }: Context): MutationAsk => ({ limit, key: clientAddress });

/** As an account's address is compared. */
const byEmail = (limit: RateLimitName, email: string): MutationAsk => ({ limit, key: email.trim().toLowerCase() });

const rules: Readonly<Record<string, Rule>> = {
  register: ({ input }: { input: { email: string } }, ctx) => [
    byEmail('registrationsByEmail', input.email),
    byClient('registrationsByClient', ctx),
  ],

  login: ({ input }: { input: { email: string } }, ctx) => [
    { ...byEmail('loginsByEmail', input.email), backOnSuccess: true },
    byClient('loginsByClient', ctx),
  ],

  refreshSession({ input }: { input?: { refreshToken?: string | null } | null }, ctx) {
    const token = input?.refreshToken ?? ctx.cookies.refreshToken;
    const byToken: MutationAsk[] = token === undefined ? [] : [{ limit: 'refreshesByToken', key: token }];
    return [...byToken, byClient('refreshesByClient', ctx)];
  },

  passwordChange(_args, ctx) {
    const { user } = ctx.viewer;
    const byUser: MutationAsk[] = user === null ? [] : [{ limit: 'passwordsByUser', key: user.userId }];
    return [...byUser, byClient('passwordsByClient', ctx)];
  },

  passwordResetRequest: ({ input }: { input: { email: string } }, ctx) => [
    byEmail('resetsByEmail', input.email),
    byClient('resetsByClient', ctx),
  ],

  passwordReset: (_args, ctx) => [byClient('resetAttemptsByClient', ctx)],

  emailVerifyRequest: (_args, { viewer: { user } }) =>
    user === null ? [] : [{ limit: 'confirmationsByUser', key: user.userId }],

  cartCreate: (_args, ctx) => newGuest(ctx),

  cartLinesAdd({ input: { lines } }: { input: { lines: readonly { quantity: number }[] } }, ctx) {
    const quantities = lines.map(({ quantity }) => quantity);
    return [...newGuest(ctx), ...units(sumOf(quantities, ctx), ctx)];
  },

  async cartLinesUpdate({ input: { lines } }: { input: { lines: readonly { id: string; quantity: number }[] } }, ctx) {
    const owner = ownerOf(ctx.viewer);
    const cart = owner === null ? null : await ctx.services.cart.find(owner);
    const present = new Map(cart?.lines.map(({ id, quantity }) => [id, quantity]));
    const raises = lines.map(({ id, quantity }) => {
      const before = present.get(idOf('CartLine', id) ?? '');
      // What is no line of the viewer's is not changed.
      return before === undefined ? 0 : quantity - before;
    });
    return units(sumOf(raises, ctx), ctx);
  },

  async cartReclaim({ input }: { input: { cartId: string } }, ctx) {
    const [id, owner] = [idOf('Cart', input.cartId), ownerOf(ctx.viewer)];
    const [cart] = id === null ? [] : await ctx.services.cart.byIds([id]);
    if (cart?.status !== 'EXPIRED' || owner === null || !isOwnedBy(cart, owner)) return [];
    const quantities = cart.lines.map(({ quantity }) => quantity);
    // A cart may have been filled over an hour: it takes all there is, and is not kept out for ever.
    return units(Math.min(sumOf(quantities, ctx), ctx.throttle?.limiter.limits.unitsByClient.points ?? 0), ctx);
  },

  stockAlertCreate: (_args, ctx) => [byClient('stockAlertsByClient', ctx)],
};

/** The names of the mutations that ask a limit of their own. */
export const throttledMutations: readonly string[] = Object.keys(rules);

/** Somebody without a name becomes a guest by it. */
function newGuest(ctx: Context): MutationAsk[] {
  return ownerOf(ctx.viewer) === null ? [byClient('guestsByClient', ctx)] : [];
}

function units(points: number, ctx: Context): MutationAsk[] {
  return points === 0 ? [] : [{ ...byClient('unitsByClient', ctx), points }];
}

/** More of a line than it may have is refused in any case: a slip of the finger does not use the limit up. */
function sumOf(quantities: readonly number[], { throttle }: Context): number {
  const most = throttle?.maxUnitsPerVariant ?? 0;
  return quantities.reduce((sum, quantity) => sum + Math.min(Math.max(quantity, 0), most), 0);
}

/** Has those mutations of a schema ask before they are resolved. */
export function throttled(schema: GraphQLSchema): GraphQLSchema {
  const fields = schema.getMutationType()?.getFields() ?? {};
  for (const [name, rule] of Object.entries(rules)) {
    const field = fields[name];
    if (field === undefined) throw new Error(`there is no mutation ${name} to be throttled`);
    field.resolve = asking(rule, (field.resolve ?? defaultFieldResolver) as Resolver);
  }
  return schema;
}

type Resolver = GraphQLFieldResolver<unknown, Context, Record<string, unknown>>;

function asking(rule: Rule, resolve: Resolver): Resolver {
  return async (root, args, ctx, info) => {
    if (ctx.throttle === null) return resolve(root, args, ctx, info);
    const asks = await rule(args as never, ctx);
    const verdict = await ctx.throttle.limiter.consume(asks, ctx.limiterWait);
    if (!verdict.allowed) throw refuseField(verdict, ctx);
    const payload = (await resolve(root, args, ctx, info)) as { errors?: readonly unknown[] } | null;
    if (payload?.errors?.length === 0) {
      for (const { limit, backOnSuccess } of asks) if (backOnSuccess === true) verdict.giveBack(limit);
    }
    return payload;
  };
}
