import { NO_UUID, type RetentionRule } from '../../infra/postgres/retention.ts';

/** As in the index `carts_over_idx`. */
const IS_OVER = `(status IN ('EXPIRED', 'MERGED') OR (status = 'ACTIVE' AND expires_at IS NULL))`;

/**
 * Carts that are over, with their lines. A cart that holds units stays, however old it is, and so does one for which somebody
 * began to pay. Carts that stay are passed once in a search, which later runs may finish. The row of a cart that was bought stays
 * with its order, which is found by it when a checkout is sent again; its lines go.
 * @param days since the last change of the cart
 */
export function cartRetention(days: number): readonly RetentionRule[] {
  return [
    {
      name: 'old carts',
      candidates: {
        name: 'retention_carts_next',
        // A cart that others were merged into waits for them: they are older, and go first.
        text: `SELECT id, ARRAY[updated_at::text, id::text] AS place FROM carts
                WHERE ${IS_OVER} AND updated_at < (SELECT clock_timestamp() - make_interval(days => $3::int))
                  AND (updated_at, id) > (coalesce(($2::text[])[1]::timestamptz, '-infinity'), coalesce(($2::text[])[2]::uuid, '${NO_UUID}'))
                ORDER BY updated_at, id LIMIT $1`,
      },
      remove: {
        name: 'retention_carts',
        text: `DELETE FROM carts WHERE id IN (
                 SELECT id FROM carts c
                  WHERE id = ANY($1::uuid[]) AND ${IS_OVER}
                    AND updated_at < (SELECT clock_timestamp() - make_interval(days => $2::int))
                    AND NOT EXISTS (SELECT FROM carts m WHERE m.merged_into_id = c.id OFFSET 0)
                    AND NOT EXISTS (SELECT FROM orders o WHERE o.cart_id = c.id OFFSET 0)
                    AND NOT EXISTS (SELECT FROM payments p WHERE p.cart_id = c.id OFFSET 0)
                  ORDER BY id FOR UPDATE SKIP LOCKED
               ) RETURNING 1`,
      },
      searchValues: [days],
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
