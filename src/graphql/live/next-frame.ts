const TEXT_FRAME = 0x81; // FIN, and the opcode of a text
const MIDDLE = ',"type":"next","payload":';
const START = '{"id":';

/**
 * The WebSocket frame of a `next` message of graphql-transport-ws, in one piece of memory. `ws` would encode the payload again for each
 * socket, and hand over two pieces.
 * @param quotedId the operation's id as JSON
 * @param payload the result as JSON in UTF-8
 */
export function nextFrame(quotedId: string, payload: Buffer): Buffer {
  const head = START + quotedId + MIDDLE;
  const headBytes = Buffer.byteLength(head);
  const length = headBytes + payload.length + 1;
  const offset = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(offset + length);
  frame[0] = TEXT_FRAME;
  if (offset === 2) frame[1] = length;
  else if (offset === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(Math.floor(length / 2 ** 32), 2);
    frame.writeUInt32BE(length % 2 ** 32, 6);
  }
  frame.write(head, offset);
  payload.copy(frame, offset + headBytes);
  frame[frame.length - 1] = 0x7d; // }
  return frame;
}
