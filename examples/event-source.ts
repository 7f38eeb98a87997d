// What a browser has. Leave this out where your project knows the types of the DOM.
declare const EventSource: new (url: string) => {
  addEventListener(type: 'next', take: (event: { data: string }) => void): void;
  close(): void;
};

interface Result<Data> {
  data?: Data | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

/**
 * Subscribes over SSE. The browser comes back by itself, and after the last event: each has its cursor as `id:`, which an
 * EventSource sends back as `Last-Event-ID`, whatever `after` stands in the address.
 * @param fail is told why it is over. CURSOR_EXPIRED: read anew, with `eventCursor`, and subscribe after that
 * @returns a function that ends it
 */
export function followEvents<Data>(
  address: string,
  { query, variables }: { query: string; variables: Record<string, unknown> },
  { next, fail }: { next: (data: Data) => void; fail: (code: string) => void },
): () => void {
  const params = new URLSearchParams({ query, variables: JSON.stringify(variables) });
  const source = new EventSource(`${address}?${params}`);
  source.addEventListener('next', ({ data: text }) => {
    const { data, errors } = JSON.parse(text) as Result<Data>;
    if (data != null) return next(data);
    const code = errors?.[0]?.extensions?.code ?? 'UNKNOWN';
    // Who was too slow comes back by itself, too. There is no need to look at `complete`: a node that stops says it.
    if (code === 'LAGGED') return;
    source.close();
    fail(code);
  });
  return () => source.close();
}
