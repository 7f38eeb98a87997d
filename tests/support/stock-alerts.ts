import { graphql } from '../generated/gql/index.ts';
import type { StockAlertCancelInput, StockAlertCreateInput } from '../generated/gql/graphql.ts';
import type { Database } from '../../src/infra/postgres/database.ts';
import type { InventoryService } from '../../src/modules/inventory/inventory.service.ts';
import { rowsOf } from './books.ts';
import type { Client } from './client.ts';
import type { World } from './fixtures.ts';
import { known } from './known.ts';

graphql(`
  fragment AlertsAlert on StockAlert {
    id
    email
    status
    createdAt
    notifiedAt
    variant {
      id
      sku
    }
  }
`);

graphql(`
  fragment AlertsError on UserError {
    __typename
    code
    message
    path
    ... on LimitExceededError {
      limit
      requested
    }
  }
`);

/** What those say who wait for something, as typed documents. */
export const alertDocuments = {
  create: graphql(`
    mutation AlertsCreate($input: StockAlertCreateInput!) {
      stockAlertCreate(input: $input) {
        stockAlert {
          ...AlertsAlert
        }
        errors {
          ...AlertsError
        }
      }
    }
  `),
  cancel: graphql(`
    mutation AlertsCancel($input: StockAlertCancelInput!) {
      stockAlertCancel(input: $input) {
        stockAlert {
          ...AlertsAlert
        }
        errors {
          ...AlertsError
        }
      }
    }
  `),
  mine: graphql(`
    query AlertsMine($first: Int, $after: String, $last: Int, $before: String) {
      me {
        stockAlerts(first: $first, after: $after, last: $last, before: $before) {
          totalCount
          pageInfo {
            hasNextPage
            hasPreviousPage
            endCursor
            startCursor
          }
          nodes {
            ...AlertsAlert
          }
        }
      }
    }
  `),
};

/** Somebody who waits; each call gives the payload, errors and all. */
export function waiterOf(client: Client) {
  return {
    wait: async (input: StockAlertCreateInput) =>
      known((await client.data(alertDocuments.create, { input })).stockAlertCreate),
    cancel: async (input: StockAlertCancelInput) =>
      known((await client.data(alertDocuments.cancel, { input })).stockAlertCancel),
    mine: async () => known((await client.data(alertDocuments.mine, {})).me?.stockAlerts),
  };
}

/** Adds units on hand, or takes some away, with ledger and events. */
export async function restock(
  shop: Pick<World, 'db'> & { inventory: InventoryService },
  variantId: string,
  delta: number,
): Promise<void> {
  await shop.db.transaction(async (tx) => {
    const at = await shop.inventory.lock(tx, [variantId]);
    await shop.inventory.apply(tx, at, [{ variantId, reason: 'CORRECTION', onHandDelta: delta }]);
  });
}

/** Has so many wait for a variant, who signed up in the order of their addresses; straight into the table. */
export async function signUpMany(db: Database, variantId: string, count: number): Promise<void> {
  await rowsOf(
    db,
    `INSERT INTO stock_alerts (id, variant_id, email, created_at)
     SELECT gen_random_uuid(), $1, 'waiter-' || lpad(n::text, 6, '0') || '@example.com', clock_timestamp()
       FROM generate_series(1, $2::int) AS n ORDER BY n`,
    [variantId, count],
  );
}

/** The addresses of those who wait for a variant, or were notified, each in the order in which they signed up. */
export async function alertsOf(db: Database, variantId: string): Promise<{ waiting: string[]; notified: string[] }> {
  const rows = await rowsOf<{ email: string; status: string }>(
    db,
    'SELECT email, status FROM stock_alerts WHERE variant_id = $1 ORDER BY number',
    [variantId],
  );
  const of = (status: string) => rows.filter((row) => row.status === status).map((row) => row.email);
  return { waiting: of('WAITING'), notified: of('NOTIFIED') };
}

/** To whom mails of alerts were written, in the order in which they will be sent. */
export async function mailsOf(db: Database, variantId: string): Promise<string[]> {
  const rows = await rowsOf<{ recipient: string }>(
    db,
    `SELECT m.recipient FROM mails m JOIN stock_alerts a ON m.cause = 'stock-alert:' || a.id
      WHERE a.variant_id = $1 AND m.template = 'back-in-stock' ORDER BY m.due_at, m.id`,
    [variantId],
  );
  return rows.map((row) => row.recipient);
}

/** Makes a chain due, as if its time had come. */
export async function makeDue(db: Database, variantId: string): Promise<void> {
  await rowsOf(
    db,
    'UPDATE stock_alert_chains SET next_batch_at = least(next_batch_at, clock_timestamp()) WHERE variant_id = $1',
    [variantId],
  );
}

/** The chains that there are. */
export async function chainsOf(db: Database): Promise<{ variantId: string; batchLeft: number }[]> {
  return rowsOf(
    db,
    'SELECT variant_id AS "variantId", batch_left AS "batchLeft" FROM stock_alert_chains ORDER BY variant_id',
  );
}
