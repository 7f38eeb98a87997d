import type { Books } from './books.ts';
import type { Kill } from './kills.ts';
import type { Outcome } from './shoppers.ts';

/** All that is known at the end of a run. */
export interface Facts {
  outcomes: readonly Outcome[];
  books: Books;
  units: number;
  kills: readonly Kill[];
  /** What has not come to its end in time; null if everything has. */
  open: string | null;
  endedByThemselves: readonly string[];
}

export interface Check {
  name: string;
  /** In words. */
  faults: readonly string[];
  detail: string;
}

/** Compares the provider's books with the shop's, and both with orders, stock and what shoppers saw. */
export function judge({ outcomes, books, units, kills, open, endedByThemselves }: Facts): Check[] {
  const { payments, orders, stock, discrepancies, ledger } = books;
  const standing = orders.filter(({ status }) => status !== 'CANCELLED');
  const numbers = new Set(orders.map(({ number }) => number));
  const begun = new Set(payments.map(({ id }) => id));
  const shown = outcomes.filter(({ orderNumber }) => orderNumber !== null);
  return [
    {
      name: "the provider's books and the shop's are the same",
      faults: payments.flatMap((payment) => {
        const { id, state, captured, refunded, theirState, theirCaptured, theirRefunded, copies } = payment;
        if (copies > 1) return [`payment ${id} was begun ${copies} times at the provider`];
        if (state === null) return [`the provider has payment ${id}, and the shop has not`];
        if (theirState === null)
          return state === 'FAILED' ? [] : [`payment ${id} is ${state}, and the provider has not heard of it`];
        const ours = `${state} ${captured} ${refunded}`;
        const theirs = `${theirState} ${theirCaptured} ${theirRefunded}`;
        return ours === theirs ? [] : [`payment ${id}: here ${ours}, at the provider ${theirs}`];
      }),
      detail: `${payments.length} payments`,
    },
    {
      name: 'nobody was charged without an order or a refund',
      faults: payments.flatMap(({ id, orderId, theirCaptured, theirRefunded }) => {
        const kept = (theirCaptured ?? 0n) - (theirRefunded ?? 0n);
        return kept !== 0n && orderId === null ? [`payment ${id} keeps ${kept}, and there is no order`] : [];
      }),
      detail: `${payments.filter(({ theirCaptured }) => (theirCaptured ?? 0n) > 0n).length} charges`,
    },
    {
      name: 'nobody was charged twice, and every order is paid to the last minor unit',
      faults: orders.flatMap(({ number, status, total, net, payers }) => {
        if (payers > 1) return [`order ${number} was paid ${payers} times`];
        const owed = status === 'CANCELLED' ? 0n : total;
        return net === owed ? [] : [`order ${number} is ${status}, costs ${total}, and ${net} was kept`];
      }),
      detail: `${orders.length} orders, ${orders.length - standing.length} of them cancelled`,
    },
    {
      name: 'no unit was sold twice, and none is missing',
      faults: [
        ...(stock.onHand + stock.sold === units ? [] : [`${units} units, ${stock.sold} sold, ${stock.onHand} on hand`]),
        ...(stock.onHand < 0 || stock.held > stock.onHand ? [`${stock.held} held of ${stock.onHand}`] : []),
      ],
      detail: `${units} units: ${stock.sold} sold, ${stock.onHand} on hand, ${stock.held} of them held`,
    },
    {
      name: 'ledgers, payments, orders and stock agree',
      faults: [...discrepancies, ...(ledger === 0n ? [] : [`the ledger comes to ${ledger}`])],
      detail: 'the ledger adds up to zero',
    },
    {
      name: 'what shoppers saw is there',
      faults: [
        ...shown
          .filter(({ orderNumber }) => orderNumber !== null && !numbers.has(orderNumber))
          .map(({ orderNumber }) => `order ${orderNumber} was shown, and is not there`),
        ...outcomes
          .filter(({ paymentId }) => paymentId !== null && !begun.has(idOf(paymentId)))
          .map(({ paymentId }) => `payment ${paymentId} was shown, and is not there`),
      ],
      detail: `${outcomes.length} shoppers, ${shown.length} saw their order`,
    },
    {
      // A run in which nothing was sold shows nothing.
      name: 'shoppers paid, and orders were placed',
      faults: orders.length > 0 ? [] : ['nobody bought anything'],
      detail: `${orders.length} orders of ${payments.length} payments`,
    },
    { name: 'every payment came to its end', faults: open === null ? [] : [open], detail: 'nothing is open' },
    {
      name: 'the shop was ready again after each kill, and no process ended by itself',
      faults: [
        ...kills.flatMap(({ name, recoveredMs }, index) =>
          recoveredMs === null ? [`not after kill ${index + 1}: ${name}`] : [],
        ),
        ...endedByThemselves,
      ],
      detail: `${kills.length} kills`,
    },
  ];
}

function idOf(globalId: string): string {
  return Buffer.from(globalId, 'base64').toString().split(':')[1] ?? '';
}
