import type SanitizeHtml from 'sanitize-html';
import { loadLater } from '../../config/load-later.ts';

/** Needed by imports alone. */
const sanitizeHtml = loadLater<typeof SanitizeHtml>('sanitize-html');

/** What a description needs, and nothing that runs, loads or looks different. */
const TAGS = [
  'p',
  'br',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'ul',
  'ol',
  'li',
  'dl',
  'dt',
  'dd',
  'strong',
  'b',
  'em',
  'i',
  'u',
  's',
  'sub',
  'sup',
  'small',
  'blockquote',
  'code',
  'pre',
  'hr',
  'a',
  'table',
  'thead',
  'tbody',
  'tfoot',
  'tr',
  'th',
  'td',
  'caption',
];

const makeOptions = (): SanitizeHtml.IOptions => ({
  allowedTags: TAGS,
  allowedAttributes: {
    a: ['href', 'title', 'rel'],
    th: ['colspan', 'rowspan', 'scope'],
    td: ['colspan', 'rowspan'],
  },
  allowedSchemes: ['http', 'https', 'mailto'],
  // `//evil.example` would be taken for a path.
  allowProtocolRelative: false,
  // The text of these is no text.
  nonTextTags: [
    'script',
    'style',
    'textarea',
    'option',
    'noscript',
    'iframe',
    'object',
    'embed',
    'svg',
    'math',
    'template',
    'title',
    'xmp',
  ],
  // Deeper than any browser's editor nests: a file may be made to take long.
  nestingLimit: 50,
  transformTags: {
    // A page has one h1, and that is the shop's.
    h1: 'h2',
    a: sanitizeHtml().simpleTransform('a', { rel: 'nofollow noopener noreferrer' }),
  },
});
let options: SanitizeHtml.IOptions | undefined;

/** Not text in any language; line breaks and tabs are. */
const CONTROL = /[^\P{Cc}\n\r\t]|\p{Cs}/gu;

/** HTML of somebody else's, of which only harmless tags are left. What was safe before stays the same. */
export function safeHtml(html: string): string {
  options ??= makeOptions();
  return sanitizeHtml()(html.replaceAll(CONTROL, ''), options).replaceAll(/\r\n?/g, '\n').trim();
}
