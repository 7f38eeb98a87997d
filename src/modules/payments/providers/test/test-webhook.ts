import { createSigner } from '../../../../infra/signer.ts';
import type { WebhookRequest } from '../../../webhooks/webhook.types.ts';
import type { ProviderDelivery } from '../provider.types.ts';
import type { DueEvent } from './test-events.repository.ts';

/** Carries the time and the signature of a webhook: `t=<seconds since 1970>,v1=<signature>`. */
export const SIGNATURE_HEADER = 'vitrine-test-signature';
/** Where the shop takes webhooks of the provider. */
export const WEBHOOK_PATH = '/webhooks/test';

const PURPOSE = 'test payment webhook';
const VERSION = 1;
const TOLERANCE_MS = 5 * 60_000;
const TIMEOUT_MS = 10_000;
const TOPICS = /^(payment|refund|dispute)\.[a-z]+$/;
const HEADER = /^t=(\d{1,12}),v1=([\w-]{43})$/;

/** Signs, sends and reads webhooks. */
export interface TestWebhooks {
  /** The header of a body that is sent now. */
  sign(body: string, at: Date): string;
  /**
   * Sends a webhook as often as it is to be sent.
   * @throws Error if the shop does not accept it
   */
  send(event: DueEvent, at: Date, signal?: AbortSignal): Promise<void>;
  read(request: WebhookRequest, now: Date): ProviderDelivery | 'IGNORED' | 'FORGED' | 'MALFORMED';
}

/** @param secrets the first signs, all are accepted */
export function createTestWebhooks(secrets: readonly string[]): TestWebhooks {
  const signer = createSigner(secrets);
  const signed = (seconds: number, body: string) => `${seconds}.${body}`;

  function sign(body: string, at: Date): string {
    const seconds = Math.floor(at.getTime() / 1000);
    return `t=${seconds},v1=${signer.sign(PURPOSE, signed(seconds, body))}`;
  }

  function isGenuine({ headers }: WebhookRequest, body: string, now: Date): boolean {
    const header = headers[SIGNATURE_HEADER];
    const [, seconds, tag] = (typeof header === 'string' ? HEADER.exec(header) : null) ?? [];
    if (seconds === undefined || tag === undefined) return false;
    const age = now.getTime() - Number(seconds) * 1000;
    return signer.verify(PURPOSE, signed(Number(seconds), body), tag) && Math.abs(age) <= TOLERANCE_MS;
  }

  return {
    sign,

    async send(event, at, signal) {
      const { id, topic, createdAt, reference, paymentId, shopUrl } = event;
      const payment = { reference, paymentId };
      const body = JSON.stringify({ id, version: VERSION, type: topic, createdAt: createdAt.toISOString(), payment });
      for (let copy = 0; copy < event.copies; copy += 1) {
        const patience = AbortSignal.timeout(TIMEOUT_MS);
        const response = await fetch(`${shopUrl}${WEBHOOK_PATH}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', [SIGNATURE_HEADER]: sign(body, at) },
          body,
          redirect: 'error',
          signal: signal === undefined ? patience : AbortSignal.any([signal, patience]),
        });
        await response.body?.cancel();
        if (!response.ok) throw new Error(`the shop answered ${response.status}`);
      }
    },

    read(request, now) {
      const body = Buffer.from(request.body).toString();
      if (!isGenuine(request, body, now)) return 'FORGED';
      const event = parse(body);
      if (event === null) return 'MALFORMED';
      return event.version === VERSION && TOPICS.test(event.delivery.topic) ? event.delivery : 'IGNORED';
    },
  };
}

function parse(body: string): { version: unknown; delivery: ProviderDelivery } | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return null;
  }
  const { id, version, type, payment } = (parsed ?? {}) as Record<string, unknown>;
  const { reference } = (payment ?? {}) as Record<string, unknown>;
  if (typeof id !== 'string' || typeof type !== 'string' || typeof reference !== 'string') return null;
  return { version, delivery: { deliveryKey: id, topic: type, reference } };
}
