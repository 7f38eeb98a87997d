import {
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { ExportResultCode, parseTraceParent } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import type { TracingConfig } from '../../config/config.ts';
import type { Logger } from '../logger.ts';
import { within } from '../within.ts';
import { TRACEPARENT, type SpanAttributes, type SpanOptions, type Tracer } from './tracer.ts';

/*
 * Imported only where tracing is configured. Everything is kept in this object and nothing in OpenTelemetry's globals: a process may
 * hold several shops, as tests do.
 */

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER };
/** Time for the spans of a process that stops. */
const FLUSH_WITHIN_MS = 2000;
const EXPORT_TIMEOUT_MS = 5000;
const WARN_EVERY_MS = 60_000;

/** Opens a tracer that sends spans in batches to an OpenTelemetry collector, as JSON over HTTP. */
export function createOtlpTracer({ config, logger }: { config: TracingConfig; logger: Logger }): Tracer {
  const { endpoint, headers, serviceName, sampleRatio } = config;
  const exporter = new OTLPTraceExporter({ url: endpoint, headers: { ...headers }, timeoutMillis: EXPORT_TIMEOUT_MS });
  const provider = new BasicTracerProvider({
    resource: defaultResource().merge(resourceFromAttributes({ 'service.name': serviceName })),
    // Spans of a trace are kept or dropped together, also those of other processes.
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sampleRatio) }),
    spanProcessors: [new BatchSpanProcessor(warnOfFailure(exporter, logger))],
  });
  const tracer = provider.getTracer('vitrine');
  const contexts = new AsyncLocalStorageContextManager().enable();
  let disposal: Promise<void> | undefined;

  const current = () => trace.getSpan(contexts.active());

  function contextOf(parent: string | null | undefined): Context {
    if (parent === undefined) return contexts.active();
    const remote = parent === null ? null : parseTraceParent(parent);
    return remote === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true });
  }

  function run<T>(name: string, { kind, attributes = {}, parent }: SpanOptions, work: () => T): T {
    const context = contextOf(parent);
    const span = tracer.startSpan(
      name,
      { kind: kind === undefined ? SpanKind.INTERNAL : KINDS[kind], attributes },
      context,
    );
    try {
      const result = contexts.with(trace.setSpan(context, span), work);
      if (isPromise(result)) {
        // The caller gets the promise itself, with its rejection.
        result.then(
          () => span.end(),
          (error: unknown) => fail(span, error),
        );
      } else {
        span.end();
      }
      return result;
    } catch (error) {
      fail(span, error);
      throw error;
    }
  }

  return {
    run,
    step: (name, options, work) => (current()?.isRecording() === true ? run(name, options, work) : work()),
    annotate: (attributes: SpanAttributes) => void current()?.setAttributes(attributes),
    traceparent() {
      const context = current()?.spanContext();
      if (context === undefined || !isSpanContextValid(context)) return null;
      const { traceId, spanId, traceFlags } = context;
      const text = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
      return TRACEPARENT.test(text) ? text : null;
    },
    bind: (callback) => contexts.bind(contexts.active(), callback),
    apart: (work) => contexts.with(ROOT_CONTEXT, work),
    [Symbol.asyncDispose]: () =>
      (disposal ??= within(FLUSH_WITHIN_MS, provider.shutdown())
        .catch(() => {})
        .then(() => void contexts.disable())),
  };
}

/** Messages may hold values of the request; the kind of the error does not. */
function fail(span: Span, error: unknown): void {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  const type = [code, name].find((given) => typeof given === 'string') ?? 'Error';
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** The exporter drops what it could not deliver. This is logged at most once a minute. */
function warnOfFailure(exporter: SpanExporter, logger: Logger): SpanExporter {
  let warnedAt = -Infinity;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.code === ExportResultCode.FAILED && performance.now() - warnedAt > WARN_EVERY_MS) {
          warnedAt = performance.now();
          logger.warn({ reason: result.error?.message, spans: spans.length }, 'traces could not be exported');
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
