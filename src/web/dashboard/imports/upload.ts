/** Characters of a piece: with quotes escaped, and three bytes for each, it still fits into a request. */
const PIECE = 120_000;

/** A file as text. @returns null where it is not encoded in UTF-8 */
export async function readText(file: File): Promise<string | null> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    return null;
  }
}

/** The text in pieces, none of which ends in the middle of a character. */
export function* piecesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length;) {
    let to = Math.min(from + PIECE, text.length);
    if (to < text.length && /[\uD800-\uDBFF]/.test(text.charAt(to - 1))) to -= 1;
    yield text.slice(from, to);
    from = to;
  }
}
