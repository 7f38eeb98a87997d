import { randomUUID } from 'node:crypto';

async function ask<T>(url: string, query: string, variables: Record<string, unknown> = {}): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as { data?: T; errors?: unknown };
  if (data === undefined || errors !== undefined) throw new Error(`the shop answered ${JSON.stringify(errors)}`);
  return data;
}

interface Tokens {
  entry: { accessToken: string | null };
}

const LOG_IN = `mutation ($input: LoginInput!) { entry: login(input: $input) { accessToken } }`;
const REGISTER = `mutation ($input: RegisterInput!) { entry: register(input: $input) { accessToken } }`;
const CART = `mutation { cartCreate { cart { token } } }`;

/**
 * Somebody of each kind: nobody, a guest, a customer who has just registered, and staff, as the headers that they send.
 * @param admin who has the rights of staff; null: nobody has
 */
export async function somebodyOfEachKind(
  url: string,
  admin: { email: string; password: string } | null,
): Promise<Record<string, string>[]> {
  const { cartCreate } = await ask<{ cartCreate: { cart: { token: string } } }>(url, CART);
  const people: Record<string, string>[] = [{}, { 'x-cart-token': cartCreate.cart.token }];
  const customer = { email: `fuzz-${randomUUID()}@example.com`, password: 'correct horse battery', name: 'Fuzz' };
  const { entry } = await ask<Tokens>(url, REGISTER, { input: customer });
  if (entry.accessToken !== null) people.push({ authorization: `Bearer ${entry.accessToken}` });
  if (admin !== null) {
    const staff = await ask<Tokens>(url, LOG_IN, { input: admin });
    // Operations may have taken the rights away: then there is one kind less.
    if (staff.entry.accessToken !== null) people.push({ authorization: `Bearer ${staff.entry.accessToken}` });
  }
  return people;
}
