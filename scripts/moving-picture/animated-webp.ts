/** One picture of an animation: a WebP of its own, and how long it is shown. */
export interface Frame {
  webp: Buffer;
  durationMs: number;
}

const HEADER_BYTES = 12;
const CHUNK_HEADER_BYTES = 8;
const ANIMATION_FLAG = 0x02;

function chunk(type: string, ...parts: Buffer[]): Buffer {
  const data = Buffer.concat(parts);
  const header = Buffer.alloc(CHUNK_HEADER_BYTES);
  header.write(type, 'latin1');
  header.writeUInt32LE(data.length, 4);
  return Buffer.concat([header, data, Buffer.alloc(data.length % 2)]);
}

function uint24(value: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntLE(value, 0, 3);
  return bytes;
}

/** The chunk of a still WebP that holds its pixels. */
function pixelsOf(webp: Buffer): Buffer {
  for (let at = HEADER_BYTES; at < webp.length;) {
    const type = webp.toString('latin1', at, at + 4);
    const length = webp.readUInt32LE(at + 4);
    const end = at + CHUNK_HEADER_BYTES + length + (length % 2);
    if (type === 'VP8 ' || type === 'VP8L') return webp.subarray(at, end);
    at = end;
  }
  throw new Error('this is no WebP with pixels');
}

/**
 * Puts still pictures of one size together to an animated WebP that goes on for ever. Each takes the place of the one before.
 * See https://developers.google.com/speed/webp/docs/riff_container.
 */
export function animate(frames: readonly Frame[], { width, height }: { width: number; height: number }): Buffer {
  const size = Buffer.concat([uint24(width - 1), uint24(height - 1)]);
  const body = Buffer.concat([
    Buffer.from('WEBP', 'latin1'),
    chunk('VP8X', Buffer.from([ANIMATION_FLAG, 0, 0, 0]), size),
    // Background, and how often it is played: 0 is without end.
    chunk('ANIM', Buffer.alloc(6)),
    ...frames.map(({ webp, durationMs }) =>
      chunk('ANMF', uint24(0), uint24(0), size, uint24(durationMs), Buffer.from([0b10]), pixelsOf(webp)),
    ),
  ]);
  const header = Buffer.alloc(8);
  header.write('RIFF', 'latin1');
  header.writeUInt32LE(body.length, 4);
  return Buffer.concat([header, body]);
}
