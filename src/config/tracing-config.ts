import type { Env } from './env.ts';

/** Where traces are sent. */
export interface TracingConfig {
  /** URL that takes spans as OTLP/HTTP. */
  endpoint: string;
  /** Sent with every request to it. May hold a key. */
  headers: Readonly<Record<string, string>>;
  serviceName: string;
  /** Share of traces that are recorded, from 0 to 1. */
  sampleRatio: number;
}

/** The settings of OpenTelemetry; null where there is no endpoint. */
export function tracingOf(env: Env): TracingConfig | null {
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT?.replace(/\/+$/, '');
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base === undefined ? undefined : `${base}/v1/traces`);
  if (endpoint === undefined) return null;
  return {
    endpoint,
    headers: env.OTEL_EXPORTER_OTLP_HEADERS ?? {},
    serviceName: env.OTEL_SERVICE_NAME ?? 'vitrine',
    sampleRatio: env.OTEL_TRACES_SAMPLER_ARG ?? 1,
  };
}
