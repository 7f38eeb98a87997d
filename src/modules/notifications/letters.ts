import type { Config } from '../../config/config.ts';
import type { Database } from '../../infra/database.ts';
import type { ShopServices } from '../services.ts';
import type { Letters } from './mail.types.ts';

/** Makes the letters of the shop's mails. */
export function createLetters(deps: {
  db: Database;
  shop: Config['shop'];
  publicUrl: string;
  secrets: readonly string[];
  services: ShopServices;
}): Letters {
  const { shop } = deps;
  return {
    async compose({ template }) {
      const subject = `${shop.name}: ${template}`;
      return {
        subject,
        text: subject,
        html: `<!doctype html><title>-</title><p>${template}</p>`,
        unsubscribeUrl: null,
      };
    },
  };
}
