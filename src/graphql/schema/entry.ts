/**
 * The extensions of a mutation by which a caller logs in or out. An operation of such mutations alone works with any credentials:
 * those that are not valid count as none. See operations/entry-operations.ts.
 */
export const ENTRY = { isEntry: true } as const;
