/** What a node took of memory while events were read from it, in megabytes. */
export interface Growth {
  before: number;
  /** The most within each tenth of the events. */
  tenths: number[];
  /** The most after the first tenth, less the most within it. */
  rss: number;
}

const EVERY_MS = 100;

/** Watches a node's resident memory from now on, as its metrics report it. */
export async function memoryOf(
  url: string,
  events: number,
): Promise<{ passed: (count: number) => void; end: () => Promise<Growth> }> {
  const before = await readRss(url);
  const tenths = Array.from({ length: 10 }, () => before);
  let tenth = 0;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const at = tenth;
    const rss = await readRss(url);
    tenths[at] = Math.max(tenths[at] ?? 0, rss);
  }

  const timer = setInterval(() => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  }, EVERY_MS);
  return {
    passed: (count) => {
      tenth = Math.min(9, Math.floor((10 * count) / events));
    },
    async end() {
      clearInterval(timer);
      await looking;
      const [first = 0, ...later] = tenths;
      return { before, tenths, rss: Math.max(...later) - first };
    },
  };
}

async function readRss(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const [, bytes] = /^\w*process_resident_bytes(?:\{[^}]*\})? (\S+)$/m.exec(text) ?? [];
  if (bytes === undefined) throw new Error('the metrics of the node do not contain its memory');
  return Number(bytes) / 1e6;
}
