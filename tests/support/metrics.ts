import { expect } from 'vitest';
import type { TestShop } from './shop.ts';

/** The values by their names and labels, as Prometheus reads them. */
export async function readMetrics(
  from: Pick<TestShop, 'request'>,
  headers: Record<string, string> = {},
): Promise<Map<string, number>> {
  const { status, body, headers: answered } = await from.request({ path: '/metrics', headers });
  expect([status, answered['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line): [string, number] => {
      const at = line.lastIndexOf(' ');
      const value = line.slice(at + 1);
      return [line.slice(0, at), value === 'Nan' ? NaN : Number(value)];
    }),
  );
}
