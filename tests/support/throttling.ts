import type { GraphQLFormattedError } from 'graphql';
import { expect } from 'vitest';
import type { Overrides } from '../../src/app.ts';
import type { Answer, Client, ClientOptions } from './client.ts';
import { createApiNode, type TestShop, type TestShopOptions } from './shop.ts';

/** A node of the API with its limits on, behind one proxy: each caller names its address in `x-forwarded-for`. */
export function createThrottledShop(
  limits: NonNullable<Overrides['throttling']>['limits'] = {},
  { env, overrides, ...rest }: TestShopOptions = {},
): Promise<TestShop> {
  return createApiNode({
    env: { RATE_LIMITS: 'on', TRUST_PROXY: '1', ...env },
    // The tests' machine may be busy: a Redis that is well must not look slow.
    overrides: { ...overrides, throttling: { limits, patienceMs: 20_000, ...overrides?.throttling } },
    ...rest,
  });
}

let count = 0;

/** An address from which nobody came before. */
export function newAddress(): string {
  count += 1;
  return `10.${count >> 16}.${(count >> 8) & 255}.${count & 255}`;
}

/** A caller who comes from there. */
export function callerFrom(shop: TestShop, address = newAddress(), options: ClientOptions = {}): Client {
  return shop.client({ ...options, headers: { ...options.headers, 'x-forwarded-for': address } });
}

/** What a field, or a request, was refused with. */
export interface Refused {
  path: string | null;
  retryAfter: number;
}

/** All fields that were rate limited, with their waits; any other error fails the test. */
export function refusedIn({ errors = [] }: Pick<Answer<unknown>, 'errors'>): Refused[] {
  return errors.map((error: GraphQLFormattedError) => {
    expect(error.extensions).toEqual({ code: 'RATE_LIMITED', retryAfter: expect.any(Number) as number });
    const retryAfter = error.extensions?.['retryAfter'] as number;
    expect(Number.isInteger(retryAfter)).toBe(true);
    expect(error.message).toMatch(new RegExp(`^Too many .+\\. Try again in ${retryAfter} s\\.$`));
    return { path: error.path?.join('.') ?? null, retryAfter };
  });
}

/**
 * Expects that just this field was refused, and its wait within the limit's time, in the error and in the header.
 * @param seconds the window, most of which is to come yet
 */
export function expectRefused(answer: Answer<unknown>, field: string, seconds: number): void {
  expect(answer.status).toBe(200);
  const [refused, ...others] = refusedIn(answer);
  expect(others).toEqual([]);
  expect(refused?.path).toBe(field);
  expect(refused?.retryAfter).toBeLessThanOrEqual(seconds);
  expect(refused?.retryAfter).toBeGreaterThan(seconds - 60);
  expect(answer.headers.get('retry-after')).toBe(String(refused?.retryAfter));
  expect(answer.data).toMatchObject({ [field]: null });
}

/** Does something so many times, one after the other, and gives what became of each. */
export async function times<T>(many: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let i = 0; i < many; i += 1) results.push(await work(i));
  return results;
}
