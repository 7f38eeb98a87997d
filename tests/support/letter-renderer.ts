import type { LetterRenderer } from '../../src/modules/mail/letter-renderer.ts';

/** Renders letters in the test's own thread, so that not every shop of a test starts one. The thread has tests in tests/mail. */
export const rendersHere: LetterRenderer = {
  async render(page) {
    const { renderPage } = await import('../../src/modules/mail/letters/pages.ts');
    return renderPage(page);
  },
  async [Symbol.asyncDispose]() {},
};
