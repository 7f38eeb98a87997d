import { createLetterRenderer } from '../../src/modules/mail/letter-renderer.ts';
import type { Page } from '../../src/modules/mail/letters/pages.ts';

// Renders letters as a shop does, in a thread, and prints what became of them as JSON.

const frame = { shopName: 'Vitrine', homeUrl: null, unsubscribeUrl: null };
const page = (number: string): Page => ({
  name: 'OrderLink',
  props: { frame, number, link: 'https://shop.example/orders/1' },
});
const broken = { name: 'OrderPlaced', props: { frame, order: null, link: '' } } as unknown as Page;
const outcome = (rendering: Promise<{ html: string; text: string }>) =>
  rendering.then(
    ({ html, text }) => ({ html: html.slice(0, 15), text }),
    (error: unknown) => String(error).split('\n')[0],
  );

const renderer = createLetterRenderer();
const atOnce = await Promise.all([page('1'), broken, page('3')].map((one) => outcome(renderer.render(one))));
// The pages that are under way when the shop stops are rendered; one that comes later is, too.
const underWay = [page('4'), page('5')].map((one) => outcome(renderer.render(one)));
await renderer[Symbol.asyncDispose]();
const stopping = await Promise.all(underWay);
const afterwards = await outcome(renderer.render(page('6')));
process.stdout.write(`${JSON.stringify({ atOnce, stopping, afterwards })}\n`);
