import { makeSchema } from './make-schema.ts';

/** The whole schema, for those that have no part in its making. */
export const schema = await makeSchema();
