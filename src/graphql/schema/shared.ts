/**
 * The extensions of a type, or of a root field of subscriptions, whose fields show the same to all viewers of one role. They
 * depend on the event and on the role at most, never on the viewer. See live/sharing.ts.
 */
export const SHARED = { sharedAmongViewers: true } as const;

/**
 * The extensions of a type, or of a root field of subscriptions, whose fields show the same on all devices of one owner. They
 * depend on the event, on the role and on the owner, as `Authentication.ownerAlone` names them. They never depend on the session, the
 * connection or the request.
 */
export const OWNED = { sharedAmongDevices: true } as const;

/**
 * The extensions of a type of events whose scalar fields are read from the event itself: however often an event is executed, the
 * result is the same.
 */
export const RECORDED = { recordedInEvent: true } as const;
