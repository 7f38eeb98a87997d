import { NO_UUID, type RetentionRule } from '../../infra/postgres/retention.ts';

/**
 * Carts that are over, with their lines. A cart that holds units stays, however old it is, and so
 * does one for which somebody began to pay. The row of a cart that was bought
 * stays with its order, which is found by it when a checkout is sent again; its lines go.
 * @param days since the last change of the cart
 */
export function cartRetention(days: number): readonly RetentionRule[] {
  return [
    {
      name: 'old carts',
      remove: {
        name: 'retention_carts',
        // A cart that others were merged into waits for them: they are older, and go first.
        text: `DELETE FROM carts WHERE id IN (
                 SELECT c.id FROM carts c
                  WHERE c.updated_at < (SELECT clock_timestamp() - make_interval(days => $3::int))
                    AND (c.status IN ('EXPIRED', 'MERGED') OR (c.status = 'ACTIVE' AND c.expires_at IS NULL))
                    AND NOT EXISTS (SELECT FROM carts m WHERE m.merged_into_id = c.id)
                    AND NOT EXISTS (SELECT FROM orders o WHERE o.cart_id = c.id)
                    AND NOT EXISTS (SELECT FROM payments p WHERE p.cart_id = c.id)
                  ORDER BY c.updated_at, c.id LIMIT $1 OFFSET $2 FOR UPDATE SKIP LOCKED
               ) RETURNING 1`,
      },
      values: [days],
    },
    {
      name: 'lines of carts that were bought',
      candidates: {
        name: 'retention_bought_lines_next',
        text: `SELECT id, ARRAY[id::text] AS place FROM cart_lines WHERE id > coalesce(($2::text[])[1]::uuid, '${NO_UUID}') ORDER BY id LIMIT $1`,
      },
      remove: {
        name: 'retention_bought_lines',
        text: `DELETE FROM cart_lines WHERE id IN (
                 SELECT l.id FROM cart_lines l JOIN carts c ON c.id = l.cart_id
                  WHERE l.id = ANY($1::uuid[]) AND c.status = 'CHECKED_OUT'
                    AND c.updated_at < (SELECT clock_timestamp() - make_interval(days => $2::int))
               ) RETURNING 1`,
      },
      values: [days],
    },
  ];
}
