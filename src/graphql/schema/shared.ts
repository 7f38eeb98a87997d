/**
 * The extensions of a type, or of a root field of subscriptions, whose fields show the same to all viewers of one role. They
 * depend on the event and on the role at most, never on the viewer. See live/sharing.ts.
 */
export const SHARED = { sharedAmongViewers: true } as const;
