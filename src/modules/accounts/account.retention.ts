import { NO_UUID, type RetentionRule } from '../../infra/postgres/retention.ts';

/** What accounts keep no longer than they need it. */
export const accountRetention: readonly RetentionRule[] = [
  {
    name: 'sessions that are over for 30 days',
    remove: {
      name: 'retention_sessions',
      text: `DELETE FROM sessions WHERE id IN (
               SELECT id FROM sessions WHERE coalesce(ended_at, expires_at) < (SELECT clock_timestamp() - interval '30 days')
                ORDER BY coalesce(ended_at, expires_at), id LIMIT $1 OFFSET $2
             ) RETURNING id`,
    },
  },
  {
    // So long a token can be refreshed with: one that is older says nothing of a theft.
    name: 'refresh tokens used more than 30 days ago',
    remove: {
      name: 'retention_refresh_tokens',
      text: `DELETE FROM refresh_tokens WHERE hash IN (
               SELECT hash FROM refresh_tokens WHERE spent_at < (SELECT clock_timestamp() - interval '30 days')
                ORDER BY spent_at, hash LIMIT $1 OFFSET $2
             ) RETURNING 1`,
    },
  },
  {
    name: 'links for forgotten passwords that are over for a day',
    remove: {
      name: 'retention_password_resets',
      text: `DELETE FROM password_resets WHERE id IN (
               SELECT id FROM password_resets WHERE expires_at < (SELECT clock_timestamp() - interval '1 day')
                ORDER BY expires_at, id LIMIT $1 OFFSET $2
             ) RETURNING id`,
    },
  },
];

// OFFSET 0 has carts and orders looked up guest by guest: a join would read all of them.
const HAS_NOTHING = `NOT EXISTS (SELECT FROM carts c WHERE c.guest_id = guests.id OFFSET 0)
                 AND NOT EXISTS (SELECT FROM orders o WHERE o.guest_id = guests.id OFFSET 0)`;

/**
 * Guests who have no cart, and no order that is still theirs. A guest who returns later is unknown, like a visitor who never
 * was: browsers have dropped the token by then. Guests with an order stay for ever, so the others are looked for among them bit by bit,
 * the youngest first: a process that was just started finds those that became old enough before it goes through all that stay.
 * @param days since they came
 */
export function guestRetention(days: number): RetentionRule {
  return {
    name: 'guests without carts and orders',
    candidates: {
      name: 'retention_guests_next',
      text: `SELECT id, ARRAY[created_at::text, id::text] AS place FROM guests
              WHERE created_at < (SELECT clock_timestamp() - make_interval(days => $3::int))
                AND (created_at, id) < (coalesce(($2::text[])[1]::timestamptz, 'infinity'), coalesce(($2::text[])[2]::uuid, '${NO_UUID}'))
              ORDER BY created_at DESC, id DESC LIMIT $1`,
    },
    remove: {
      name: 'retention_guests',
      // A cart that is made meanwhile has a lock on its guest: such guests are passed over.
      text: `DELETE FROM guests WHERE id IN (
               SELECT id FROM guests WHERE id = ANY($1::uuid[]) AND ${HAS_NOTHING} ORDER BY id FOR UPDATE SKIP LOCKED
             ) AND ${HAS_NOTHING} AND created_at < (SELECT clock_timestamp() - make_interval(days => $2::int)) RETURNING 1`,
    },
    searchValues: [days],
    values: [days],
  };
}
