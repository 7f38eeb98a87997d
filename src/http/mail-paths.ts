/** The paths of the shop's own that links in mails lead to. */
export const MAIL_PATHS = ['/mail/unsubscribe', '/mail/stock-alert'] as const;
