import { describe, expect, test } from 'vitest';
import { safeHtml } from '../../../src/modules/imports/safe-html.ts';

/** What merchants' descriptions bring along: each is what a browser would run, load or be led astray by. */

const HARMFUL: [string, string][] = [
  ['<p>a<script>alert(1)</script>b</p>', '<p>ab</p>'],
  ['<ScRiPt src="//evil.example/x.js"></sCrIpT>a', 'a'],
  ['<scr<script>ipt>alert(1)</scr</script>ipt>', 'ipt&gt;alert(1)ipt&gt;'],
  ['<img src=x onerror=alert(1)>a', 'a'],
  ['<p onclick="alert(1)" style="position:fixed" class="x" id="y" data-x="1">a</p>', '<p>a</p>'],
  ['<a href="javascript:alert(1)">a</a>', '<a rel="nofollow noopener noreferrer">a</a>'],
  ['<a href=" jAvAsCrIpT&#58;alert(1)">a</a>', '<a rel="nofollow noopener noreferrer">a</a>'],
  ['<a href="java\tscript:alert(1)">a</a>', '<a rel="nofollow noopener noreferrer">a</a>'],
  ['<a href="\u0001javascript:alert(1)">a</a>', '<a rel="nofollow noopener noreferrer">a</a>'],
  ['<a href="data:text/html,<script>alert(1)</script>">a</a>', '<a rel="nofollow noopener noreferrer">a</a>'],
  ['<a href="//evil.example">a</a>', '<a rel="nofollow noopener noreferrer">a</a>'],
  [
    '<a href="https://example.com" target="_top" rel="opener">a</a>',
    '<a href="https://example.com" rel="nofollow noopener noreferrer">a</a>',
  ],
  ['<iframe src="https://evil.example">b</iframe>a', 'a'],
  ['<style>p{background:url(//evil.example)}</style>a', 'a'],
  ['<svg><animate onbegin=alert(1) attributeName=x></svg>a', 'a'],
  ['<math><mtext><img src onerror=alert(1)></mtext></math>a', 'a'],
  ['<form action="//evil.example"><input name=q><button>b</button></form>a', 'ba'],
  ['<object data="x"></object><embed src="x">a', 'a'],
  ['<!-- <script>alert(1)</script> -->a', 'a'],
  ['<![CDATA[<script>alert(1)</script>]]>a', 'a'],
  ['<meta http-equiv="refresh" content="0;url=//evil.example"><base href="//evil.example/">a', 'a'],
  ['&lt;script&gt;alert(1)&lt;/script&gt;', '&lt;script&gt;alert(1)&lt;/script&gt;'],
  ['<p>open', '<p>open</p>'],
  ['<noscript><p title="</noscript><img src=x onerror=alert(1)>">a</noscript>', ''],
];

describe('HTML of somebody else', () => {
  test.each(HARMFUL)('%s', (given, safe) => {
    expect(safeHtml(given)).toBe(safe);
  });

  test('keeps what a description is made of, and stays as it is the second time', () => {
    const given =
      '<h1>Care</h1><ul><li><strong>Wash</strong> at 30&nbsp;&deg;</li><li><em>Never</em> bleach</li></ul>\r\n' +
      '<table><tr><th colspan="2">Size</th></tr><tr><td>S</td><td>90 &lt; 95</td></tr></table><a href="mailto:a@example.com">Ask</a><br />';
    const safe = safeHtml(given);
    expect(safe).toBe(
      '<h2>Care</h2><ul><li><strong>Wash</strong> at 30\u00a0°</li><li><em>Never</em> bleach</li></ul>\n' +
        '<table><tr><th colspan="2">Size</th></tr><tr><td>S</td><td>90 &lt; 95</td></tr></table>' +
        '<a href="mailto:a@example.com" rel="nofollow noopener noreferrer">Ask</a><br />',
    );
    expect(safeHtml(safe)).toBe(safe);
  });
});
