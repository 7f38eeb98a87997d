/** Properties of a span: names, numbers and IDs. No personal data, no secrets. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** What a span measures and to which trace it belongs. */
export interface SpanOptions {
  /**
   * `server` answers a request from outside, `client` waits for another program, `consumer` does what a row or a job asks for.
   * Default: work inside the process.
   */
  kind?: 'server' | 'client' | 'consumer';
  attributes?: SpanAttributes;
  /** W3C `traceparent` of the span that caused the work; null begins a new trace. Default: the current span. */
  parent?: string | null;
}

/**
 * Records spans, so that a request, its statements, its jobs and its emails appear as one trace. The current span follows the
 * asynchronous call chain. What continues the trace elsewhere gets its `traceparent` in a row or a job. Without a setting
 * there is no tracer: callers pass null around and skip all of this.
 */
export interface Tracer extends AsyncDisposable {
  /** Runs work as a span. The span ends with the work; it fails if the work throws. */
  run<T>(name: string, options: SpanOptions, work: () => T): T;
  /** Runs work as a span of the current trace. Outside any trace, runs the work alone. */
  step<T>(name: string, options: Omit<SpanOptions, 'parent'>, work: () => T): T;
  /** Adds properties to the current span, if any. */
  annotate(attributes: SpanAttributes): void;
  /** The current span as a W3C `traceparent`; null outside any trace. */
  traceparent(): string | null;
  /** Binds a callback to the current span, wherever it is called from. */
  bind(callback: () => void): () => void;
  /** Runs work outside the current trace: loops and timers that outlive the request that started them. */
  apart<T>(work: () => T): T;
}

/** A `traceparent` of version 00, as it may stand in a row or in SQL. */
export const TRACEPARENT = /^00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;
