import type { GraphQLFormattedError } from 'graphql';

export interface Answer {
  status: number;
  data: Record<string, unknown> | null | undefined;
  errors: readonly GraphQLFormattedError[] | undefined;
}

/** Who asks: a guest by the cart's token, a user by the access token, both for a guest who becomes a user, or nobody. */
export interface Caller {
  cartToken?: string;
  accessToken?: string;
}

/** Sends one operation. Throws where no answer of GraphQL's comes back. */
export async function ask(
  url: string,
  query: string,
  variables: Record<string, unknown>,
  { cartToken, accessToken }: Caller = {},
): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(cartToken === undefined ? {} : { 'x-cart-token': cartToken }),
      ...(accessToken === undefined ? {} : { authorization: `Bearer ${accessToken}` }),
    },
    body: JSON.stringify({ query, variables }),
  });
  const text = await response.text();
  try {
    const { data, errors } = JSON.parse(text) as Omit<Answer, 'status'>;
    return { status: response.status, data, errors };
  } catch {
    throw new Error(`status ${response.status}, and no JSON: ${text.slice(0, 200)}`);
  }
}
