/**
 * The extensions of a type, or of a root field of queries, whose answers a node may keep in memory. What its fields show to shoppers
 * depends on the arguments and on what the services of `ShopModule.memory` read: never on the viewer, on the clock, or on anything
 * else. Fields that are restricted by role are not kept, whatever their type declares. See operations/kept-answers.ts.
 */
export const KEPT = { keptInMemory: true } as const;
