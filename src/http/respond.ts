import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** Codes of errors that are answered before GraphQL has a say. */
export type EdgeErrorCode = 'FORBIDDEN' | 'UNAVAILABLE' | 'RATE_LIMITED' | 'UNAUTHENTICATED' | 'BAD_REQUEST';

/** A refusal in the shape that GraphQL clients read. */
export function errorBody(code: EdgeErrorCode, message: string, more: { retryAfter?: number } = {}): string {
  return JSON.stringify({ errors: [{ message, extensions: { code, ...more } }] });
}

/** Answers with JSON. */
export function sendJson(res: ServerResponse, status: number, body: string): void {
  res.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  });
  res.end(body);
}

/** Answers an upgrade with plain HTTP, and closes the connection. */
export function refuseUpgrade(socket: Duplex, status: number, body: string, headers: readonly string[] = []): void {
  socket.once('finish', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
      'connection: close',
      'content-type: application/json; charset=utf-8',
      'x-content-type-options: nosniff',
      ...headers,
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}
