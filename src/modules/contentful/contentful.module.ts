import type { ShopModule } from '../module.ts';
import { createContentfulService, type ContentfulService } from './contentful.service.ts';

declare module '../module.ts' {
  interface ShopServices {
    contentful: ContentfulService;
  }
}

/** Products and stock that a CMS keeps, received by webhooks. */
export const contentfulModule: ShopModule = {
  name: 'contentful',
  services({ config, db, services }) {
    const { catalog, catalogWriting, outsideStock, webhooks } = services;
    const { source, ...contentful } = createContentfulService({
      ...{ db, catalog, catalogWriting, outsideStock },
      config: config.contentful,
      currency: config.shop.currency,
    });
    if (source !== null) webhooks.register(source);
    return { contentful };
  },
};
