import type { TracingConfig } from '../../config/config.ts';
import type { Logger } from '../logger.ts';
import type { Tracer } from './tracer.ts';

/** Opens the tracer; null without a setting, and then the packages of OpenTelemetry are not loaded. */
export async function openTracer(config: TracingConfig | null, logger: Logger): Promise<Tracer | null> {
  if (config === null) return null;
  const { createOtlpTracer } = await import('./otlp-tracer.ts');
  return createOtlpTracer({ config, logger });
}
