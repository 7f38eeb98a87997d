import type { RetentionRule } from '../../infra/postgres/retention.ts';

/**
 * Stock alerts that were sent or cancelled; those that wait stay. A cancelled alert does not know when it was cancelled: it
 * goes by when it was made.
 * @param days since it was sent, or made
 */
export function stockAlertRetention(days: number): RetentionRule {
  return {
    name: 'stock alerts that were sent or cancelled',
    remove: {
      name: 'retention_stock_alerts',
      text: `DELETE FROM stock_alerts WHERE id IN (
               SELECT a.id FROM stock_alerts a
                WHERE a.status <> 'WAITING'
                  AND coalesce(a.notified_at, a.created_at) < (SELECT clock_timestamp() - make_interval(days => $3::int))
                ORDER BY coalesce(a.notified_at, a.created_at), a.id LIMIT $1 OFFSET $2 FOR UPDATE SKIP LOCKED
             ) AND status <> 'WAITING' RETURNING 1`,
    },
    values: [days],
  };
}
