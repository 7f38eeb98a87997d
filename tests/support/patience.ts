/**
 * How long tests wait for something that ought to happen, in milliseconds. It ends a run that hangs and is never a
 * measurement: a machine may be slow, so it is far more than anything takes.
 */
export const PATIENCE_MS = 60_000;
