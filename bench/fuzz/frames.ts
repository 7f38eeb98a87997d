import { once } from 'node:events';
import { connect } from 'node:net';
import type { Operation } from './operations.ts';
import { broken, bytes, text, type Random } from './random.ts';

const UPGRADE = [
  'GET /graphql HTTP/1.1',
  'host: localhost',
  'connection: upgrade',
  'upgrade: websocket',
  'sec-websocket-version: 13',
  'sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-protocol: graphql-transport-ws',
].join('\r\n');

/** A frame with a mask of zeros; `first` is its first byte. */
function frame(first: number, data: Buffer): Buffer {
  const head =
    data.length < 126 ? [first, 0x80 | data.length] : [first, 0x80 | 126, (data.length >> 8) & 255, data.length & 255];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), data]);
}

const textFrame = (value: string) => frame(0x81, Buffer.from(value).subarray(0, 65_535));

/** What one socket sends, in order: a conversation, with more and more of it wrong. */
export function conversation(random: Random, operations: () => Operation): Buffer[] {
  // Most keep to the protocol: the first fault ends a conversation.
  const sane = random.chance(0.6);
  const message = (): unknown => {
    const id = sane ? String(random.below(100)) : random.pick(['1', '2', '', '__proto__', 'constructor', text(random)]);
    if (sane && random.chance(0.9)) return { id, type: 'subscribe', payload: operations() };
    if (sane) return random.pick<unknown>([{ id, type: 'complete' }, { type: 'ping' }, { type: 'pong' }]);
    return random.pick<() => unknown>([
      () => ({ id, type: 'subscribe', payload: operations() }),
      () => ({ id, type: 'subscribe', payload: operations() }),
      () => ({
        id,
        type: 'subscribe',
        payload: { ...operations(), operationName: text(random), extensions: { a: 1 } },
      }),
      () => ({ id, type: 'complete' }),
      () => ({ type: random.pick(['ping', 'pong']), payload: random.pick([undefined, null, {}, 'x', [1]]) }),
      () => ({
        id,
        type: random.pick(['next', 'error', 'connection_ack', 'start', 'toString', 1, null]),
        payload: random.pick([{}, [], null, 'x']),
      }),
      () => ({
        id,
        type: 'subscribe',
        payload: random.pick([null, {}, { query: 1 }, { query: '{' }, { query: '{ __typename }', variables: [] }]),
      }),
      () => random.pick<unknown>([null, 1, 'x', [], {}, { type: 'connection_init' }]),
    ])();
  };
  const params = sane
    ? undefined
    : random.pick<unknown>([
        undefined,
        {},
        {},
        null,
        { accessToken: text(random) },
        { cartToken: 1 },
        { headers: text(random) },
        [],
      ]);
  const frames =
    sane || random.chance(0.9) ? [textFrame(JSON.stringify({ type: 'connection_init', payload: params }))] : [];
  for (let count = 1 + random.below(6); count > 0; count -= 1) {
    const said = JSON.stringify(message());
    frames.push(
      sane || random.chance(0.75)
        ? textFrame(said)
        : random.pick<() => Buffer>([
            () => textFrame(broken(random, said)),
            () => frame(0x80 | random.below(16), bytes(random, 140)),
            () => frame(random.below(256), Buffer.from(said)),
            () => bytes(random, 40),
            () => frame(0x89, bytes(random, 125)),
          ])(),
    );
  }
  return frames;
}

/** What came back over a socket, and the code with which it was closed. */
export interface Conversation {
  text: string;
  closeCode: number | null;
}

/**
 * Sends frames over a socket of its own, closes it properly, and reads until the server has closed it.
 * @param id of the request that becomes the socket
 */
export async function sendFrames(
  port: number,
  frames: readonly Buffer[],
  id: string,
  quietMs = 1_000,
): Promise<Conversation> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.setTimeout(quietMs, () => socket.destroy());
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(`${UPGRADE}\r\nx-request-id: ${id}\r\n\r\n`);
  await Promise.race([once(socket, 'data').catch(() => {}), closed]);
  for (const part of frames) socket.write(part);
  // Answers come in any order: a moment for them, then the closing.
  await new Promise((resolve) => setTimeout(resolve, 20));
  socket.write(frame(0x88, Buffer.from([0x03, 0xe8])));
  await closed;
  const all = Buffer.concat(chunks);
  return { text: all.toString('latin1'), closeCode: closeCodeOf(all) };
}

/** Of the last frame, where that is a closing. Frames of the server are not masked. */
function closeCodeOf(all: Buffer): number | null {
  let at = all.indexOf('\r\n\r\n') + 4;
  while (at + 2 <= all.length) {
    const opcode = (all[at] ?? 0) & 15;
    let length = (all[at + 1] ?? 0) & 127;
    let head = 2;
    if (length === 126) [length, head] = [at + 4 <= all.length ? all.readUInt16BE(at + 2) : 0, 4];
    else if (length === 127) [length, head] = [at + 10 <= all.length ? Number(all.readBigUInt64BE(at + 2)) : 0, 10];
    if (opcode === 8 && length >= 2 && at + head + 2 <= all.length) return all.readUInt16BE(at + head);
    at += head + length;
  }
  return null;
}
