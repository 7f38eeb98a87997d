import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print, type GraphQLFormattedError } from 'graphql';

/** An answer of the API, whatever it says. */
export interface Answer<Data> {
  data: Data | null | undefined;
  errors: readonly GraphQLFormattedError[] | undefined;
  /** The codes of `errors`. */
  codes: string[];
  status: number;
  headers: Headers;
}

/** A document, typed or as text, where the answer's data is anyone's guess. */
export type Document<Data, Variables> = TypedDocumentNode<Data, Variables> | string;

export interface ClientOptions {
  /** Sent as `x-cart-token`. */
  cartToken?: string;
  /** Keeps cookies, as a browser does. */
  cookies?: boolean;
  headers?: Record<string, string>;
}

/** One caller of the shop. */
export interface Client {
  /** Asks, and gives whatever is answered. */
  execute<Data = Record<string, unknown>, Variables = Record<string, unknown>>(
    document: Document<Data, Variables>,
    variables?: Variables,
    options?: { headers?: Record<string, string>; operationName?: string },
  ): Promise<Answer<Data>>;
  /** Asks, and gives the data; throws where there are top-level errors. */
  data<Data = Record<string, unknown>, Variables = Record<string, unknown>>(
    document: Document<Data, Variables>,
    variables?: Variables,
  ): Promise<Data>;
  /** The cookies that it was given, as it sends them. */
  cookie(name: string): string | undefined;
  /** What it sends besides cookies, to say who it is. */
  headers(): Record<string, string>;
  /** From now on this guest is the one who asks. */
  use(cartToken: string | undefined): void;
}

/** Documents as text: most are sent hundreds of times. */
const texts = new WeakMap<object, string>();

function textOf<Data, Variables>(document: Document<Data, Variables>): string {
  if (typeof document === 'string') return document;
  const text = texts.get(document) ?? print(document);
  texts.set(document, text);
  return text;
}

/** Makes a caller of its own. */
export function createClient(
  url: string,
  { cartToken, cookies = false, headers: always = {} }: ClientOptions = {},
): Client {
  const jar = new Map<string, string>();
  let token = cartToken;

  const headers = () => ({ ...(token === undefined ? {} : { 'x-cart-token': token }), ...always });

  const execute: Client['execute'] = async (document, variables, options) => {
    const query = textOf(document);
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(jar.size === 0 ? {} : { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') }),
        ...headers(),
        ...options?.headers,
      },
      body: JSON.stringify({ query, variables, operationName: options?.operationName }),
    });
    if (cookies) keep(jar, response.headers.getSetCookie());
    const text = await response.text();
    const body = parse(text);
    if (body === null) throw new Error(`The answer is not GraphQL's.\n${describe(query, variables, response, text)}`);
    return {
      data: body.data as never,
      errors: body.errors,
      codes: body.errors?.map((error) => String(error.extensions?.code)) ?? [],
      status: response.status,
      headers: response.headers,
    };
  };

  return {
    execute,
    async data(document, variables) {
      const answer = await execute(document, variables);
      if (answer.errors !== undefined || answer.data == null) {
        const query = textOf(document);
        const shown = describe(
          query,
          variables,
          answer,
          JSON.stringify({ errors: answer.errors, data: answer.data }, null, 2),
        );
        throw new Error(`The shop answered with errors.\n${shown}`);
      }
      return answer.data;
    },
    cookie: (name) => jar.get(name),
    headers,
    use(cartTokenOfNext) {
      token = cartTokenOfNext;
    },
  };
}

function describe(
  query: string,
  variables: unknown,
  { status, headers }: { status: number; headers: Headers },
  body: string,
) {
  const id = headers.get('x-request-id') ?? 'none';
  return `query: ${query}\nvariables: ${JSON.stringify(variables ?? {})}\nstatus: ${status}, request id: ${id}\nanswer: ${body.slice(0, 4000)}`;
}

function parse(text: string): { data?: unknown; errors?: GraphQLFormattedError[] } | null {
  try {
    const body: unknown = JSON.parse(text);
    const isAnswer = typeof body === 'object' && body !== null && ('data' in body || 'errors' in body);
    return isAnswer ? (body as { data?: unknown; errors?: GraphQLFormattedError[] }) : null;
  } catch {
    return null;
  }
}

function keep(jar: Map<string, string>, setCookies: readonly string[]): void {
  for (const line of setCookies) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (/;\s*max-age=0/i.test(line)) jar.delete(name);
    else jar.set(name, value);
  }
}
