/*
 * Contentful's Rich Text (https://www.contentful.com/developers/docs/concepts/rich-text/) as plain text: the shop's
 * descriptions have no markup. Walked without recursion: a document may be as deep as a request is long.
 */

interface Node {
  nodeType?: unknown;
  value?: unknown;
  content?: unknown;
}

/** Whether a field's value is a Rich Text document. */
export function isRichText(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && (value as Node).nodeType === 'document';
}

/** Blocks that end a line; lists, quotes and tables hold such blocks. */
const LINE = /^(paragraph|hr|heading-\d)$/;

/** Its texts, each paragraph, heading or list item in a line of its own. */
export function richTextToPlain(document: Node): string {
  let text = '';
  const left: (Node | '\n')[] = [document];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    if (node === '\n') {
      text += node;
      continue;
    }
    if (node.nodeType === 'text' && typeof node.value === 'string') text += node.value;
    if (typeof node.nodeType === 'string' && LINE.test(node.nodeType)) left.push('\n');
    if (!Array.isArray(node.content)) continue;
    for (const child of (node.content as unknown[]).toReversed()) {
      if (typeof child === 'object' && child !== null) left.push(child);
    }
  }
  return text.replaceAll(/\n{2,}/g, '\n').trim();
}
