import { createRequire } from 'node:module';
import { createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLogger } from '../../src/infra/logger.ts';
import { openTracer } from '../../src/infra/tracing/open-tracer.ts';

// Opens a shop as the environment says, and prints which packages of OpenTelemetry are loaded; then the same with a tracer.

const { cache } = createRequire(import.meta.url);
const loaded = () => [...new Set(Object.keys(cache).flatMap((path) => /@opentelemetry\/[\w-]+/.exec(path) ?? []))];

const config = loadConfig();
const logger = createLogger({ level: 'silent', pretty: false });
const app = await createApp(config, logger);
const withoutSetting = loaded();
await app.dispose();
const endpoint = 'http://127.0.0.1:9/v1/traces';
const tracer = await openTracer({ endpoint, headers: {}, serviceName: 'vitrine', sampleRatio: 1 }, logger);
const withSetting = loaded();
await tracer?.[Symbol.asyncDispose]();
process.stdout.write(`${JSON.stringify({ tracing: config.tracing, withoutSetting, withSetting })}\n`);
