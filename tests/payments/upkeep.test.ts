import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { createLooks, startPaymentUpkeep } from '../../src/modules/payments/payment-upkeep.ts';
import { gate } from '../support/barriers.ts';
import { until } from '../support/until.ts';

const MINUTE = 60_000;

test('a payment without news is looked up less and less often, and at least once an hour', () => {
  const looks = createLooks(10);
  const at: number[] = [];
  for (let minute = 0; minute <= 300; minute += 1) {
    if (looks.choose(['slow'], minute * MINUTE).length > 0) at.push(minute);
  }
  expect(at).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
});

test('of a payment that is over nothing is kept', () => {
  const looks = createLooks(10);
  expect(looks.choose(['one', 'other'], 0)).toEqual(['one', 'other']);
  expect(looks.choose(['one'], 1)).toEqual([]);
  expect(looks.choose(['one', 'other'], 2)).toEqual(['other']);
});

test('all payments have their turn, however many there are, and each at its own time', () => {
  const looks = createLooks(2);
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const next = (now: number) => {
    const begin = looks.after === null ? 0 : ids.indexOf(looks.after) + 1;
    return looks.choose(ids.slice(begin, begin + 2), now);
  };
  expect([next(0), next(0), next(0)]).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
  expect([next(1), next(1), next(1)]).toEqual([[], [], []]);
  expect([next(MINUTE), next(MINUTE), next(MINUTE)]).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
});

test('payments whose provider does not answer hold up no others', async () => {
  const answers = gate();
  const work = {
    ...{ overdueIds: ['overdue'], operationIds: ['hangs', 'hangs too', 'a', 'b', 'c'] },
    ...{ lapsingIds: ['lapsing'], unpaidIds: ['unpaid'], unheardIds: ['unheard'] },
  };
  const done: string[] = [];
  const note = (id: string) => Promise.resolve(void done.push(id));
  const upkeep = startPaymentUpkeep({
    payments: {
      findWork: () => Promise.resolve(work),
      runOperation: async (id) => {
        if (id.startsWith('hangs')) await answers.opened;
        await note(id);
        return true;
      },
      ...{ expire: note, warnOfLapse: note, cancelUnpaid: note, sync: note },
    },
    logger: pino({ level: 'silent' }),
  });
  onTestFinished(async () => {
    answers.open();
    await upkeep[Symbol.asyncDispose]();
  });
  await until('the others are done', () => done.length === 7);
  expect(done.toSorted()).toEqual(['a', 'b', 'c', 'lapsing', 'overdue', 'unheard', 'unpaid']);
  answers.open();
  await until('all are done', () => done.length === 9);
});
