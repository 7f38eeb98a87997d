import type { GraphQLSchema } from 'graphql';
import { modules } from '../modules/modules.ts';
import { withOutcomes } from './context/outcome.ts';
import { builder } from './schema/builder.ts';
import { withIdsAtHand } from './schema/ids-at-hand.ts';
import { withFieldLimits } from './schema/limited-fields.ts';
import './schema/scalars.ts';
import './schema/money.ts';
import './schema/node.ts';
import './schema/root.ts';
import './schema/user-errors.ts';

let making: Promise<GraphQLSchema> | undefined;

/** Makes the whole schema once. Each module adds its part by being imported. */
export function makeSchema(): Promise<GraphQLSchema> {
  return (making ??= make());
}

async function make(): Promise<GraphQLSchema> {
  await Promise.all(modules.map(async (module) => module.graphql?.()));
  return withFieldLimits(withOutcomes(withIdsAtHand(builder.toSchema())));
}
