const TYPE = 'application/x-www-form-urlencoded';

/** A form of two fields is small. */
const MOST_BYTES = 4096;

/** The body of a form is larger than any that the shop's own pages send. */
export class FormTooLargeError extends Error {}

/**
 * The texts of a form as the shop's own pages send it; empty for a body of another type, which is not read.
 * @throws FormTooLargeError
 */
export async function readForm(request: Request): Promise<Partial<Record<string, string>>> {
  const type = request.headers.get('content-type') ?? '';
  if (!type.toLowerCase().startsWith(TYPE) || request.body === null) return {};
  const chunks: Uint8Array[] = [];
  let size = 0;
  // (Hono's own body limit fails where the length is not known: it makes a Request of undici's, which knows no other options.)
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MOST_BYTES) throw new FormTooLargeError('the form is too large');
    chunks.push(chunk);
  }
  return Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()));
}
