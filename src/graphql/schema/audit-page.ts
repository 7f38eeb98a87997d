import { requestError } from '../context/request-error.ts';
import { decodeCursor, encodeCursor, type CursorType } from './connection.ts';

/** A page of what an audit goes through, by the IDs of rows. */
interface AuditedPage {
  /** The row after which the page began; null: it was the first page. */
  after: string | null;
  /** Null: the page is empty. */
  firstId: string | null;
  lastId: string | null;
  /** Whether rows are left. */
  more: boolean;
}

/** The `pageInfo` of an audit. */
export function auditPageInfo({ after, firstId, lastId, more }: AuditedPage, type: CursorType) {
  const cursorOf = (id: string | null) => (id === null ? null : encodeCursor(type, [id]));
  return {
    hasNextPage: more,
    hasPreviousPage: after !== null,
    startCursor: cursorOf(firstId),
    endCursor: firstId === null ? null : cursorOf(lastId),
  };
}

/** The page of an audit that the arguments ask for. @throws BAD_REQUEST */
export function auditPageOf(
  { first, after }: { first?: number | null | undefined; after?: string | null | undefined },
  type: CursorType,
): { first: number | null; after: string | null } {
  if (first != null && first < 1) throw requestError('BAD_REQUEST', '`first` must be at least 1.');
  const [from = null] = after == null ? [] : decodeCursor(after, 'after', type);
  return { first: first ?? null, after: from };
}
