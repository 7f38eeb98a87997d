import type { RetentionRule } from '../../infra/postgres/retention.ts';

/** What accounts keep no longer than they need it. */
export const accountRetention: readonly RetentionRule[] = [
  {
    name: 'sessions that are over for 30 days',
    remove: {
      name: 'retention_sessions',
      text: `DELETE FROM sessions WHERE id IN (
               SELECT id FROM sessions WHERE coalesce(ended_at, expires_at) < clock_timestamp() - interval '30 days'
                ORDER BY id LIMIT $1 OFFSET $2
             ) RETURNING id`,
    },
  },
  {
    // So long a token can be refreshed with: one that is older says nothing of a theft.
    name: 'refresh tokens used more than 30 days ago',
    remove: {
      name: 'retention_refresh_tokens',
      text: `DELETE FROM refresh_tokens WHERE hash IN (
               SELECT hash FROM refresh_tokens WHERE spent_at < clock_timestamp() - interval '30 days'
                ORDER BY hash LIMIT $1 OFFSET $2
             ) RETURNING 1`,
    },
  },
  {
    name: 'links for forgotten passwords that are over for a day',
    remove: {
      name: 'retention_password_resets',
      text: `DELETE FROM password_resets WHERE id IN (
               SELECT id FROM password_resets WHERE expires_at < clock_timestamp() - interval '1 day'
                ORDER BY id LIMIT $1 OFFSET $2
             ) RETURNING id`,
    },
  },
];

/**
 * Guests who have no cart, and no order that is still theirs. A guest who returns later is unknown, like a visitor who never
 * was: browsers have dropped the token by then.
 * @param days since they came
 */
export function guestRetention(days: number): RetentionRule {
  return {
    name: 'guests without carts and orders',
    remove: {
      name: 'retention_guests',
      // A cart that is made meanwhile has a lock on its guest: such guests are passed over.
      text: `DELETE FROM guests WHERE id IN (
               SELECT g.id FROM guests g WHERE g.created_at < clock_timestamp() - make_interval(days => $3::int)
                  AND NOT EXISTS (SELECT FROM carts c WHERE c.guest_id = g.id)
                  AND NOT EXISTS (SELECT FROM orders o WHERE o.guest_id = g.id)
                ORDER BY g.created_at, g.id LIMIT $1 OFFSET $2 FOR UPDATE SKIP LOCKED
             ) AND NOT EXISTS (SELECT FROM carts c WHERE c.guest_id = guests.id)
               AND NOT EXISTS (SELECT FROM orders o WHERE o.guest_id = guests.id) RETURNING 1`,
    },
    values: [days],
  };
}
