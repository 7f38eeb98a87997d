import type { IncomingMessage } from 'node:http';
import type { GraphQLParams, Plugin } from 'graphql-yoga';
import { isNestedTooDeep } from '../limits/nesting.ts';
import { refusedRequest } from '../context/request-error.ts';
import type { NodeContext } from '../context/create-context.ts';

const JSON_TYPE = /^application\/json\s*(;\s*charset\s*=\s*"?utf-?8"?\s*)?$/i;

/** How large a body may be, in bytes. */
interface BodyLimits {
  /** Of anybody's request; and of the document of every request. */
  bodyLimit: number;
  /** Such a request may be ten times as large: products have long texts and a hundred variants. */
  namesUser: (req: IncomingMessage) => boolean;
}

/**
 * Reads what is asked for, in place of Yoga's own readers: POST takes a JSON object in UTF-8 alone, of a limited size, and
 * every fault of it is a BAD_REQUEST. (Forms and plain text can be sent by any page without a preflight.)
 */
export function useRequestParams(limits: BodyLimits): Plugin<object, NodeContext> {
  return {
    onRequestParse({ request, serverContext, setRequestParser }) {
      if (request.method === 'GET') {
        setRequestParser(() => paramsOfUrl(request.url));
      } else if (request.method === 'POST') {
        if (!JSON_TYPE.test(request.headers.get('content-type') ?? '') || request.headers.has('content-encoding')) {
          throw refusedRequest(
            'BAD_REQUEST',
            'Send the request as application/json, encoded in UTF-8 and not compressed.',
            415,
          );
        }
        const { req } = serverContext;
        // Who asks is of no interest where the body is small.
        const isSmall = Number(req.headers['content-length']) <= limits.bodyLimit;
        const limit = !isSmall && limits.namesUser(req) ? 10 * limits.bodyLimit : limits.bodyLimit;
        setRequestParser(async () => {
          const params = paramsOfBody(await readBody(req, limit));
          // A character takes a byte at least.
          if ((params.query?.length ?? 0) > limits.bodyLimit) {
            throw refusedRequest('BAD_REQUEST', `The document is larger than ${limits.bodyLimit} bytes.`, 413);
          }
          return params;
        });
      }
    },
  };
}

/** Reads the body up to the limit. What comes beyond it is thrown away unread, so that the client gets the answer. */
function readBody(req: IncomingMessage, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const tooLarge = () => {
      req.off('data', take).off('end', end).resume();
      reject(refusedRequest('BAD_REQUEST', `The request is larger than ${limit} bytes.`, 413));
    };
    const take = (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) tooLarge();
      else chunks.push(chunk);
    };
    const end = () => resolve(Buffer.concat(chunks, size));
    // It may have gone while the request was counted.
    if (req.destroyed) {
      reject(refusedRequest('BAD_REQUEST', 'The request was aborted.'));
      return;
    }
    if (Number(req.headers['content-length'] ?? 0) > limit) {
      tooLarge();
      return;
    }
    req.on('data', take).once('end', end);
    // The client has gone and cannot read a response.
    req.once('error', () => reject(refusedRequest('BAD_REQUEST', 'The request was aborted.')));
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function paramsOfBody(body: Buffer): GraphQLParams {
  const text = decoded(body);
  if (text === null) throw refusedRequest('BAD_REQUEST', 'The body is not valid JSON.');
  return checked(parseJson(text, 'The body'));
}

function decoded(body: Buffer): string | null {
  try {
    return utf8.decode(body);
  } catch {
    return null;
  }
}

function parseJson(text: string, what: string): unknown {
  if (isNestedTooDeep(text)) throw refusedRequest('BAD_REQUEST', `${what} is nested too deeply.`);
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw refusedRequest('BAD_REQUEST', `${what} is not valid JSON.`);
  }
}

function paramsOfUrl(url: string): GraphQLParams {
  const start = url.indexOf('?');
  const search = new URLSearchParams(start === -1 ? '' : url.slice(start + 1));
  const json = (name: string): unknown => {
    const text = search.get(name);
    return text === null || text === '' ? undefined : parseJson(text, `\`${name}\``);
  };
  return checked({
    query: search.get('query') ?? undefined,
    operationName: search.get('operationName') ?? undefined,
    variables: json('variables'),
    extensions: json('extensions'),
  });
}

function checked(params: unknown): GraphQLParams {
  if (!isMap(params)) {
    throw refusedRequest(
      'BAD_REQUEST',
      'The request must be a single JSON object with `query` and, optionally, `variables`.',
    );
  }
  const { query, operationName, variables, extensions } = params;
  if (typeof query !== 'string' || query === '')
    throw refusedRequest('BAD_REQUEST', '`query` must be a GraphQL document.');
  if (operationName != null && typeof operationName !== 'string') {
    throw refusedRequest('BAD_REQUEST', '`operationName` must be a string.');
  }
  for (const [name, value] of Object.entries({ variables, extensions })) {
    if (value != null && !isMap(value)) throw refusedRequest('BAD_REQUEST', `\`${name}\` must be an object.`);
  }
  return params as GraphQLParams;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
