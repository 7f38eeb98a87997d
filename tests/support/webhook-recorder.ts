import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WebhookRequest } from '../../src/modules/webhooks/webhook.types.ts';

/** A server that takes webhooks in the place of a shop, and keeps them. */
export interface WebhookRecorder extends AsyncDisposable {
  /** Its origin. */
  url: string;
  /** What came, oldest first. */
  requests: WebhookRequest[];
  /** The status of the next answers, each once; 202 after them. */
  answers: number[];
}

/** Starts one. */
export async function recordWebhooks(): Promise<WebhookRecorder> {
  const requests: WebhookRequest[] = [];
  const answers: number[] = [];
  const server = createServer((req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const { method = '', url: path = '', headers } = req;
      requests.push({ method, path, headers, body: Buffer.concat(chunks) });
      res.writeHead(answers.shift() ?? 202, { 'content-type': 'application/json' });
      res.end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answers,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
