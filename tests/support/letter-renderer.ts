import type { LetterRenderer } from '../../src/modules/mail/letter-renderer.ts';

/** Renders letters in the test's own thread: a thread costs each shop what tests/mail/letter-renderer.test.ts needs once. */
export const rendersHere: LetterRenderer = {
  async render(page) {
    const { renderPage } = await import('../../src/modules/mail/letters/pages.ts');
    return renderPage(page);
  },
  async [Symbol.asyncDispose]() {},
};
