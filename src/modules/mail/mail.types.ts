/** Kinds of email that can be turned off; all others are always sent. */
export const mailKinds = {
  ORDER_STATUS: 'An order was moved along.',
  LOW_STOCK: 'Something in the cart runs low.',
  BACK_IN_STOCK: 'Something that was waited for is back.',
} as const;

export type MailKind = keyof typeof mailKinds;

/** The templates, each with the kind of mail that it makes; null: a needed one. */
export const mailTemplates = {
  'order-placed': null,
  'order-status-changed': 'ORDER_STATUS',
  'order-link': null,
  'payment-failed': null,
  'payment-received-late': null,
  'refund-succeeded': null,
  'authorization-lapsing': null,
  'low-stock': 'LOW_STOCK',
  'back-in-stock': 'BACK_IN_STOCK',
  'password-reset': null,
  'password-changed': null,
  welcome: null,
  'confirm-address': null,
} as const satisfies Record<string, MailKind | null>;

export type MailTemplate = keyof typeof mailTemplates;

/** Ids and numbers from whose rows a mail is made when it is sent; no secret, and nothing personal. */
export type MailData = Record<string, string | number | null>;

/** A mail that is still to be written down. */
export interface NewMail {
  /** What calls for it, e.g. `event:<seq>`: per cause, template and recipient there is one mail, ever. */
  cause: string;
  template: MailTemplate;
  /** An address. */
  recipient: string;
  /** The account that it is for; null where it is for none. */
  userId: string | null;
  data: MailData;
}

/** What has become of a mail. */
export const mailStatuses = {
  PENDING: 'The email waits to be sent, or to be tried again.',
  SENT: 'The mail server accepted the email.',
  SKIPPED: 'The email was not sent because its occasion had passed or the recipient had unsubscribed.',
  FAILED: 'The mail server rejected the email permanently, or all attempts failed. `mailRetry` sends it again.',
} as const;

export type MailStatus = keyof typeof mailStatuses;

/** A mail as it stands in its row. */
export interface MailRow extends NewMail {
  id: string;
  messageId: string;
}

/** What a mail says. Plain text and finished HTML; nothing in it is escaped any further. */
export interface Letter {
  subject: string;
  html: string;
  text: string;
  /** For one click (RFC 8058); null where the mail is a needed one. */
  unsubscribeUrl: string | null;
}

/** Makes letters of mails. */
export interface Letters {
  /**
   * Reads what the mail is about, makes the secrets of its links, and writes it.
   * @returns null where there is nothing to say any more: what it is about is gone, or the recipient does not want it
   */
  compose(mail: MailRow): Promise<Letter | null>;
}
