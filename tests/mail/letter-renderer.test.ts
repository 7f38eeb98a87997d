import { expect, test } from 'vitest';
import { startProcess } from '../support/shop-process.ts';

const letter = (number: string) => ({
  html: '<!DOCTYPE html ',
  text: expect.stringContaining(`Order ${number}`) as unknown,
});

test('letters are rendered in a thread: a template that fails fails alone, and a shop that stops finishes its letters', async () => {
  const { exited, output } = startProcess('tests/support/letter-renderer-child.ts', {});
  expect(await exited).toBe(0);
  expect(JSON.parse(output())).toEqual({
    atOnce: [letter('1'), expect.stringContaining('TypeError'), letter('3')],
    stopping: [letter('4'), letter('5')],
    afterwards: letter('6'),
  });
});
