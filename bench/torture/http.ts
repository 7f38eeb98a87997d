import type { GraphQLFormattedError } from 'graphql';

export interface Answer {
  status: number;
  data: Record<string, unknown> | null | undefined;
  errors: readonly GraphQLFormattedError[] | undefined;
}

/** Sends one operation. Throws where no answer of GraphQL's comes back. */
export async function ask(
  url: string,
  query: string,
  variables: Record<string, unknown>,
  cartToken?: string,
): Promise<Answer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(cartToken === undefined ? {} : { 'x-cart-token': cartToken }),
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
