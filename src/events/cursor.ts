/** A place in the log: which log, and the last event seen of it. */
export interface Cursor {
  epoch: string;
  seq: number;
}

const PLAIN = /^([0-9a-f]{16})\.(\d{1,16})$/;

/** The cursor as clients get it: opaque, URL-safe. */
export function encodeCursor({ epoch, seq }: Cursor): string {
  return Buffer.from(`${epoch}.${seq}`).toString('base64url');
}

/** The place that a client's cursor names, or null where it is none of ours. */
export function decodeCursor(text: string): Cursor | null {
  const [, epoch, seq] = PLAIN.exec(Buffer.from(text, 'base64url').toString('latin1')) ?? [];
  const number = Number(seq);
  return epoch !== undefined && Number.isSafeInteger(number) ? { epoch, seq: number } : null;
}
