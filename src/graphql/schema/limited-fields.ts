import { defaultFieldResolver, isObjectType, type GraphQLFieldResolver, type GraphQLSchema } from 'graphql';
import type { Context } from '../context/context.ts';
import type { FieldAsk, RateLimit } from '../limits/rate-limits.ts';

/** The limits that a field asks before anything else of it is done. Each alias is a field of its own. */
export interface FieldLimits<Args = never> {
  readonly limits: readonly RateLimit[];
  readonly asks: (args: Args, ctx: Context) => readonly FieldAsk[] | Promise<readonly FieldAsk[]>;
}

const KEY = 'rateLimits';
/** Declared by fields for which the general limit is enough. */
export const GENERAL = 'general';

/**
 * The extensions of a field that asks limits of its own. The arguments have passed GraphQL: they have the schema's types, and
 * nothing else of them has been checked.
 * @param limits every limit that `asks` may name
 */
export function limitedBy<Args = unknown>(
  limits: readonly RateLimit[],
  asks: FieldLimits<Args>['asks'],
): Readonly<Record<string, unknown>> {
  return { [KEY]: { limits, asks } satisfies FieldLimits<Args> };
}

/**
 * The extensions of a mutation for which the general limit of operations is enough: it takes no secret that could be guessed,
 * makes no guest, holds no units and has no mail sent to an address of the caller's choice.
 */
export const GENERAL_LIMIT_SUFFICES = { [KEY]: GENERAL } as const;

/** What a field declares about its limits; undefined where it declares nothing. */
export function declaredLimitsOf({
  extensions,
}: {
  extensions: Readonly<Record<string, unknown>>;
}): FieldLimits | typeof GENERAL | undefined {
  return extensions[KEY] as FieldLimits | typeof GENERAL | undefined;
}

type Resolver = GraphQLFieldResolver<unknown, Context, Record<string, unknown>>;

/** Every limit that a field of the schema declares. */
export function limitsDeclaredIn(schema: GraphQLSchema): Set<RateLimit> {
  const found = new Set<RateLimit>();
  for (const { declared } of limitedFieldsOf(schema)) for (const limit of declared.limits) found.add(limit);
  return found;
}

/** Makes the fields that declare limits ask them before they are resolved or subscribed to. */
export function withFieldLimits(schema: GraphQLSchema): GraphQLSchema {
  const subscriptions = schema.getSubscriptionType();
  for (const { type, field, declared } of limitedFieldsOf(schema)) {
    if (type === subscriptions && field.subscribe !== undefined) {
      field.subscribe = asking(declared, field.subscribe as Resolver);
    } else {
      field.resolve = asking(declared, (field.resolve ?? defaultFieldResolver) as Resolver);
    }
  }
  return schema;
}

function limitedFieldsOf(schema: GraphQLSchema) {
  return Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .flatMap((type) =>
      Object.values(type.getFields()).flatMap((field) => {
        const declared = declaredLimitsOf(field);
        return declared === undefined || declared === GENERAL ? [] : [{ type, field, declared }];
      }),
    );
}

function asking({ asks: ask }: FieldLimits, resolve: Resolver): Resolver {
  return async (root, args, ctx, info) => {
    if (ctx.throttle === null) return resolve(root, args, ctx, info);
    const asks = await ask(args as never, ctx);
    const giveBack = await ctx.throttle.take(asks, ctx);
    const settle = (outcome: NonNullable<FieldAsk['back']>) => {
      for (const one of asks) if (one.back === outcome) giveBack(one);
    };
    try {
      const result: unknown = await resolve(root, args, ctx, info);
      settle(isSuccess(result) ? 'SUCCESS' : 'FAILURE');
      return result;
    } catch (error) {
      settle('FAILURE');
      throw error;
    }
  };
}

function isSuccess(result: unknown): boolean {
  if (result === null || result === undefined) return false;
  const { errors } = result as { errors?: unknown };
  return !Array.isArray(errors) || errors.length === 0;
}
