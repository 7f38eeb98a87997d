import type { CSSProperties } from 'react';

/** The colours of letters, by day and by night. */
export const palette = {
  page: '#f4f3ef',
  card: '#ffffff',
  ink: '#1f1d1a',
  quiet: '#6b665e',
  line: '#e3e0d8',
  dark: { page: '#161513', card: '#211f1c', ink: '#f1eee8', quiet: '#aaa49a', line: '#38352f' },
} as const;

const FONT = '-apple-system, BlinkMacSystemFont, Segoe UI, Roboto, Helvetica, Arial, sans-serif';
const text: CSSProperties = {
  color: palette.ink,
  fontFamily: FONT,
  fontSize: '16px',
  lineHeight: '24px',
  // A word without an end must not make the letter wider than the screen.
  overflowWrap: 'anywhere',
  wordBreak: 'break-word',
};
const small: CSSProperties = { ...text, color: palette.quiet, fontSize: '13px', lineHeight: '20px' };

/** Inline styles: many mail programs know no others. */
export const styles = {
  body: { margin: 0, padding: 0 },
  page: { backgroundColor: palette.page, padding: '0 12px' },
  container: { maxWidth: '600px', margin: '0 auto', padding: '0' },
  head: { padding: '28px 8px 20px', textAlign: 'center' },
  shop: { ...text, margin: 0, fontSize: '18px', fontWeight: 600, letterSpacing: '0.02em', textDecoration: 'none' },
  card: {
    backgroundColor: palette.card,
    border: `1px solid ${palette.line}`,
    borderRadius: '10px',
    padding: '32px 36px',
    // Sections are tables, whose corners are round only so.
    borderCollapse: 'separate',
    tableLayout: 'fixed',
    width: '100%',
  },
  title: { ...text, fontSize: '24px', lineHeight: '32px', fontWeight: 600, margin: '0 0 16px' },
  subtitle: { ...text, fontSize: '16px', fontWeight: 600, margin: '28px 0 8px' },
  paragraph: { ...text, margin: '0 0 16px' },
  quiet: { ...small, margin: '0 0 8px' },
  quietLink: { color: palette.quiet, textDecoration: 'underline' },
  link: { color: palette.ink, textDecoration: 'underline' },
  button: {
    ...text,
    backgroundColor: palette.ink,
    color: palette.card,
    borderRadius: '8px',
    fontWeight: 600,
    padding: '13px 24px',
    textDecoration: 'none',
  },
  action: { margin: '8px 0 16px' },
  rule: { border: 0, borderTop: `1px solid ${palette.line}`, margin: '24px 0' },
  hiddenRule: { display: 'none' },
  foot: { padding: '20px 8px 36px', textAlign: 'center' },
  note: { ...text, backgroundColor: palette.page, borderRadius: '8px', padding: '12px 16px', margin: '0 0 16px' },
  table: { width: '100%', borderCollapse: 'collapse', tableLayout: 'fixed', margin: '8px 0 0' },
  product: { width: '100%', borderCollapse: 'collapse', tableLayout: 'fixed', margin: '0 0 16px' },
  cell: { ...text, borderTop: `1px solid ${palette.line}`, padding: '12px 0', verticalAlign: 'top' },
  amount: { textAlign: 'right', fontVariantNumeric: 'tabular-nums', paddingLeft: '12px' },
  totalCell: { fontWeight: 600 },
  small,
  picture: { borderRadius: '6px', display: 'block', objectFit: 'cover' },
  pictureCell: { paddingRight: '14px' },
} as const satisfies Record<string, CSSProperties>;
