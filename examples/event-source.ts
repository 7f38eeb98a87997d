// What a browser has. Leave this out where your project knows the types of the DOM.
interface Source {
  readonly readyState: number;
  addEventListener(type: 'next', take: (event: { data: string; lastEventId: string }) => void): void;
  addEventListener(type: 'error', take: () => void): void;
  close(): void;
}
declare const EventSource: new (url: string, options: { withCredentials: boolean }) => Source;

interface Result<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

export interface Follower<Data> {
  next: (data: Data) => void;
  /** It is over. CURSOR_EXPIRED: read anew, with a cursor in the same query, and subscribe after that. */
  fail: (code: string) => void;
  /** UNAUTHENTICATED: refresh the session, and return true to go on with what the browser has by then. */
  refresh?: () => boolean | Promise<boolean>;
}

/**
 * Subscribes over SSE, with the cookies of the shop also from another origin. The browser comes back by itself, and after the
 * last event: each has its cursor as `id:`, which an EventSource sends back as `Last-Event-ID`, whatever `after` stands in the
 * address. After a refusal (401, 429, 503) a browser gives up for good; this opens the stream again.
 * @returns a function that ends it
 */
export function followEvents<Data>(
  address: string,
  { query, variables }: { query: string; variables: Record<string, unknown> },
  { next, fail, refresh }: Follower<Data>,
): () => void {
  const final = new Set(['BAD_REQUEST', 'FORBIDDEN', 'UNAUTHENTICATED', 'TOO_COSTLY', 'CURSOR_EXPIRED']);
  const closed = 2;
  let source: Source | undefined;
  let after = variables.after;
  let [left, tries, refusals] = [false, 0, 0];

  function open(): void {
    const params = new URLSearchParams({ query, variables: JSON.stringify({ ...variables, after }) });
    const url = `${address}?${params}`;
    const opened = new EventSource(url, { withCredentials: true });
    source = opened;
    opened.addEventListener('next', ({ data: text, lastEventId }) => {
      const { data, errors } = JSON.parse(text) as Result<Data>;
      if (lastEventId !== '') after = lastEventId;
      if (data != null) {
        [tries, refusals] = [0, 0];
        return next(data);
      }
      // After any other code the browser comes back by itself. There is no need to look at `complete`: a node that stops says it.
      const code = errors?.[0]?.extensions?.code ?? 'UNKNOWN';
      if (final.has(code)) void recover(code);
    });
    opened.addEventListener('error', () => {
      if (opened.readyState === closed && source === opened) void ask(url).then(recover);
    });
  }

  /** Why the stream was refused: an EventSource does not say. */
  async function ask(url: string): Promise<string> {
    const leaving = new AbortController();
    const init = { credentials: 'include', headers: { accept: 'text/event-stream' }, signal: leaving.signal } as const;
    const status = await fetch(url, init).then(
      (response) => response.status,
      () => 503,
    );
    leaving.abort();
    return { 400: 'BAD_REQUEST', 401: 'UNAUTHENTICATED', 403: 'FORBIDDEN' }[status] ?? 'UNAVAILABLE';
  }

  async function recover(code: string): Promise<void> {
    source?.close();
    if (code === 'UNAUTHENTICATED' && refresh !== undefined && refusals < 3) {
      refusals += 1;
      try {
        if (!(await refresh())) return fail(code);
      } catch {
        refusals -= 1; // it could not even be asked for: later, perhaps
        await pause();
      }
    } else if (final.has(code)) {
      return fail(code);
    } else {
      await pause();
    }
    if (!left) open();
  }

  function pause(): Promise<void> {
    const ms = Math.random() * Math.min(30_000, 500 * 2 ** tries);
    tries += 1;
    return new Promise((done) => setTimeout(done, ms));
  }

  open();
  return () => {
    left = true;
    source?.close();
  };
}
