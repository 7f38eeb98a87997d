import type { RetentionRule } from '../infra/postgres/retention.ts';

/**
 * Parked events that were handled after all; those that wait for somebody stay.
 * @param days since they were handled
 */
export function parkedEventRetention(days: number): RetentionRule {
  return {
    name: 'parked events that were handled',
    remove: {
      name: 'retention_parked_events',
      text: `DELETE FROM parked_events WHERE id IN (
               SELECT id FROM parked_events WHERE resolved_at < (SELECT clock_timestamp() - make_interval(days => $3::int))
                ORDER BY resolved_at, id LIMIT $1 OFFSET $2
             ) RETURNING 1`,
    },
    values: [days],
  };
}
