import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as the collector received it. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  /** Empty for the first span of a trace. */
  parentSpanId: string;
  name: string;
  attributes: Record<string, unknown>;
}

/** A collector of traces, OTLP over HTTP as JSON, on the loopback interface. */
export interface Collector extends AsyncDisposable {
  url: string;
  spans: readonly ReceivedSpan[];
  /** Headers of the last request. */
  headers(): Record<string, unknown>;
}

interface OtlpSpan extends Omit<ReceivedSpan, 'attributes' | 'parentSpanId'> {
  parentSpanId?: string;
  attributes?: { key: string; value: Record<string, unknown> }[];
}

/** Starts one. */
export async function startCollector(): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  let headers: Record<string, unknown> = {};
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      ({ headers } = request);
      if (request.url !== '/v1/traces') {
        response.writeHead(404).end();
        return;
      }
      const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as {
        resourceSpans: { scopeSpans: { spans: OtlpSpan[] }[] }[];
      };
      const received = resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
      for (const { attributes = [], parentSpanId = '', ...span } of received) {
        const values = attributes.map(({ key, value }) => [key, Object.values(value)[0]]);
        spans.push({ ...span, parentSpanId, attributes: Object.fromEntries(values) as Record<string, unknown> });
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    headers: () => headers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
