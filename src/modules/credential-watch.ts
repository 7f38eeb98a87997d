/**
 * Why something may not go on as it was. EXPIRED: the credentials have expired, and the client may have newer ones. ENDED: the
 * session is over. REPLACED: the client has been given other credentials.
 */
export type WatchEnd = 'EXPIRED' | 'ENDED' | 'REPLACED';

/** Something that runs with credentials, and ends with them. */
export interface Watched {
  /** Whether the credentials are valid now; otherwise there is nothing to watch. */
  readonly valid: boolean;
  /** ID of the user; null for visitors, and if the credentials are not valid. */
  readonly userId: string | null;
  release(): void;
}
