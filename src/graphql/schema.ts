import { modules } from '../modules/modules.ts';
import { tellingOutcomes } from './context/outcome.ts';
import { builder } from './schema/builder.ts';
import { withIdsAtHand } from './schema/ids-at-hand.ts';
import { withFieldLimits } from './schema/limited-fields.ts';
import './schema/scalars.ts';
import './schema/money.ts';
import './schema/node.ts';
import './schema/root.ts';
import './schema/user-errors.ts';

await Promise.all(modules.map(async (module) => module.graphql?.()));

/** The whole schema. Each module adds its part by being imported. */
export const schema = withFieldLimits(tellingOutcomes(withIdsAtHand(builder.toSchema())));
