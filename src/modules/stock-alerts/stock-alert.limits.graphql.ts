import { limitedBy } from '../../graphql/schema/limited-fields.ts';
import { byEmail, byNetwork, type RateLimit } from '../../graphql/limits/rate-limits.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Anyone can type an address: each alert is a mail to it. */
const stockAlertsByClient: RateLimit = {
  name: 'stockAlertsByClient',
  points: 60,
  seconds: HOUR,
  tooMany: 'stock alerts from your network',
};
const stockAlertsByEmail: RateLimit = {
  name: 'stockAlertsByEmail',
  points: 60,
  seconds: HOUR,
  tooMany: 'stock alerts with this email address',
};
/** Tokens cannot be guessed: this spares the database. */
const alertTokensByClient: RateLimit = {
  name: 'alertTokensByClient',
  points: 100,
  seconds: 15 * MINUTE,
  tooMany: 'invalid links from your network',
};

/** `stockAlertCreate` has mail sent to an address of the caller's choice. */
export const alertLimits = limitedBy<{ input: { email?: string | null } }>(
  [stockAlertsByClient, stockAlertsByEmail],
  ({ input: { email } }, ctx) => [
    byNetwork(stockAlertsByClient, ctx),
    ...(email == null ? [] : [byEmail(stockAlertsByEmail, email)]),
  ],
);

/** `stockAlertCancel` confirms guesses at a token. */
export const alertCancelLimits = limitedBy<{ input: { token?: string | null } }>(
  [alertTokensByClient],
  ({ input: { token } }, ctx) => (token == null ? [] : [byNetwork(alertTokensByClient, ctx, { back: 'SUCCESS' })]),
);
