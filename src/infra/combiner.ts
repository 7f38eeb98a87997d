import { AsyncResource } from 'node:async_hooks';
import { TurnstileTimeout } from './limits/turnstile.ts';

/** What a batch gives for one item: its result, or work that is left for the item alone and that the next batch does not wait for. */
export type BatchResult<Result> = PromiseSettledResult<Result> | { status: 'alone'; run: () => Promise<Result> };

/** Does the work of many callers together: what is asked for while it works is done in one go afterwards. */
export interface Combiner<Item, Result> {
  /**
   * Asks for work. If nothing is under way, the work begins in the next turn of the event loop; otherwise in the order in which callers
   * came.
   * @throws TurnstileTimeout if its turn did not come in time; the work was not begun
   */
  submit(item: Item): Promise<Result>;
}

export interface CombinerOptions<Item, Result> {
  /**
   * Does the work of some items, in the asynchronous context of the caller who came first.
   * @returns the result of each, in the order of the items. If it rejects, all of the items fail with its error.
   */
  run: (items: readonly Item[]) => Promise<readonly BatchResult<Result>[]>;
  /** Items with the same key are never under way together: the later one waits for the end of the earlier one. Null: it has none. */
  keyOf?: (item: Item) => string | null;
  /** Items that are done together at most. */
  most: number;
  /** How many batches are under way at a time. */
  lanes: number;
  /**
   * Milliseconds that a batch has to be under way until another one begins beside it; by default none. A batch that begins later has
   * more items, and the cost of a batch is shared by more.
   */
  apartMs?: number;
  /** Milliseconds that an item waits for its turn at most. */
  withinMs: number;
}

/** Settings for reads of many callers. Two at a time: the connections of the pool are for everybody. */
export const SHARED_READ = { most: 100, lanes: 2, withinMs: 30_000 } as const;

interface Entry<Item, Result> {
  item: Item;
  context: AsyncResource;
  key: string | null;
  deadline: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** Makes one. */
export function createCombiner<Item, Result>(options: CombinerOptions<Item, Result>): Combiner<Item, Result> {
  const { run, keyOf = () => null, most, lanes, withinMs, apartMs = 0 } = options;
  let queue: Entry<Item, Result>[] = [];
  let running = 0;
  let isDue = false;
  let beganAt = 0;
  let next: NodeJS.Timeout | undefined;
  const busy = new Set<string>();
  let timer: NodeJS.Timeout | undefined;

  /** Takes the items of the next batch out of the queue: the first ones of each key that is not under way. */
  function take(): Entry<Item, Result>[] {
    const taken: Entry<Item, Result>[] = [];
    const left: Entry<Item, Result>[] = [];
    const keys = new Set<string>();
    for (const entry of queue) {
      const waits = entry.key !== null && (keys.has(entry.key) || busy.has(entry.key));
      if (entry.key !== null) keys.add(entry.key);
      if (waits || taken.length === most) left.push(entry);
      else taken.push(entry);
    }
    queue = left;
    return taken;
  }

  function end({ key }: Entry<Item, Result>): void {
    if (key !== null) busy.delete(key);
  }

  function settle(entry: Entry<Item, Result>, result: BatchResult<Result> | undefined): void {
    if (result?.status === 'alone') {
      const over = () => {
        end(entry);
        due();
      };
      void entry.context.runInAsyncScope(result.run).then(entry.resolve, entry.reject).finally(over);
      return;
    }
    end(entry);
    if (result?.status === 'fulfilled') entry.resolve(result.value);
    else entry.reject(result?.reason ?? new Error('a batch gave no result for an item'));
  }

  async function work(entries: readonly Entry<Item, Result>[]): Promise<void> {
    try {
      const results = await run(entries.map(({ item }) => item));
      for (const [index, entry] of entries.entries()) settle(entry, results[index]);
    } catch (error) {
      for (const entry of entries) settle(entry, { status: 'rejected', reason: error });
    }
  }

  /** Starts once the event loop has handed over what has arrived: of requests that were read together, all are in one batch. */
  function due(): void {
    if (isDue) return;
    isDue = true;
    setImmediate(() => {
      isDue = false;
      start();
    });
  }

  /** Whether another batch may begin. If it only has to wait for a while, it begins then. */
  function mayBegin(): boolean {
    if (running === 0 || apartMs === 0) return running < lanes;
    const wait = beganAt + apartMs - performance.now();
    if (running < lanes && wait > 0) next ??= setTimeout(start, wait);
    return running < lanes && wait <= 0;
  }

  function start(): void {
    clearTimeout(next);
    next = undefined;
    while (queue.length > 0 && mayBegin()) {
      const entries = take();
      if (entries.length === 0) break;
      beganAt = performance.now();
      for (const { key } of entries) if (key !== null) busy.add(key);
      running += 1;
      const done = () => {
        running -= 1;
        due();
      };
      void entries[0]?.context.runInAsyncScope(() => work(entries)).finally(done);
    }
    watch();
  }

  /** Sees to the item that has waited longest, and so to all. */
  function watch(): void {
    const [first] = queue;
    if (first === undefined) {
      clearTimeout(timer);
      timer = undefined;
      return;
    }
    timer ??= setTimeout(
      () => {
        timer = undefined;
        const now = Date.now();
        const late = queue.filter(({ deadline }) => deadline <= now);
        queue = queue.filter(({ deadline }) => deadline > now);
        for (const { reject } of late) reject(new TurnstileTimeout(`no turn within ${withinMs} ms`));
        watch();
      },
      Math.max(1, first.deadline - Date.now()),
    );
  }

  return {
    submit: (item) =>
      new Promise((resolve, reject) => {
        const context = new AsyncResource('combiner');
        queue.push({ item, context, key: keyOf(item), deadline: Date.now() + withinMs, resolve, reject });
        due();
      }),
  };
}
