import './badge.css';

export type Tone = 'quiet' | 'good' | 'warm' | 'bad';

/** A state in one word. The colour repeats what the word says. */
export function Badge({ tone = 'quiet', children }: { tone?: Tone; children: string }) {
  return <span className={`badge badge-${tone}`}>{children}</span>;
}

const TONES: Record<string, Tone> = {
  PLACED: 'warm',
  FULFILLED: 'good',
  DELIVERED: 'quiet',
  CANCELLED: 'bad',
  PENDING: 'warm',
  PAID: 'good',
  AUTHORIZED: 'warm',
  PARTIALLY_PAID: 'warm',
  PARTIALLY_REFUNDED: 'quiet',
  PROCESSING: 'warm',
  CAPTURED: 'good',
  SUCCEEDED: 'good',
  DONE: 'good',
  REFUSED: 'bad',
  UNKNOWN: 'warm',
  OPEN: 'bad',
  WON: 'good',
  LOST: 'bad',
  REFUNDED: 'quiet',
  ACTIVE: 'good',
  DRAFT: 'warm',
  ARCHIVED: 'quiet',
  SCHEDULED: 'warm',
  USED_UP: 'bad',
  ENDED: 'quiet',
  SENT: 'good',
  APPLIED: 'good',
  SKIPPED: 'quiet',
  FAILED: 'bad',
  UPLOADING: 'quiet',
  QUEUED: 'warm',
  RUNNING: 'warm',
  COMPLETED: 'good',
  ADMIN: 'good',
  STAFF: 'warm',
};

/** `MARKED_AS_PAID` as `Marked as paid`. */
export function inWords(name: string): string {
  const words = name.replaceAll('_', ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** A value of an enum as a badge. */
export function Status({ of }: { of: string }) {
  return <Badge tone={TONES[of] ?? 'quiet'}>{inWords(of)}</Badge>;
}
