import type { RetentionRule } from '../../infra/retention.ts';

/** What accounts keep no longer than they need it. */
export const accountRetention: readonly RetentionRule[] = [
  {
    name: 'sessions that are over for 30 days',
    remove: {
      name: 'retention_sessions',
      text: `DELETE FROM sessions WHERE id IN (
               SELECT id FROM sessions WHERE coalesce(ended_at, expires_at) < clock_timestamp() - interval '30 days' LIMIT $1
             ) RETURNING id`,
    },
  },
  {
    // So long a token can be refreshed with: one that is older says nothing of a theft.
    name: 'refresh tokens that were spent 30 days ago',
    remove: {
      name: 'retention_refresh_tokens',
      text: `DELETE FROM refresh_tokens WHERE hash IN (
               SELECT hash FROM refresh_tokens WHERE spent_at < clock_timestamp() - interval '30 days' LIMIT $1
             ) RETURNING 1`,
    },
  },
  {
    name: 'links for forgotten passwords that are over for a day',
    remove: {
      name: 'retention_password_resets',
      text: `DELETE FROM password_resets WHERE id IN (
               SELECT id FROM password_resets WHERE expires_at < clock_timestamp() - interval '1 day' LIMIT $1
             ) RETURNING id`,
    },
  },
];
