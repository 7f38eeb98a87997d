import type { ContentfulConfig } from '../../config/config.ts';
import type { Database } from '../../infra/postgres/database.ts';
import type { WebhookSource } from '../webhooks/webhook.types.ts';
import { createEntryApplication, type ApplyingDependencies } from './apply-entry.ts';
import { createContentfulSource } from './contentful-source.ts';
import { createPreparation } from './prepare.ts';
import { createSpace } from './space.ts';
import { createContentfulSync, type ContentfulSync } from './sync.ts';

export type { ContentfulSync, Drift, SyncReport } from './sync.ts';

/** The CMS that changes the catalogue. */
export interface ContentfulService {
  /** Compares the whole space with the catalogue; null where no space and token are configured. */
  sync: ContentfulSync | null;
}

/** What the CMS's module needs. */
export interface ContentfulDependencies extends ApplyingDependencies {
  db: Database;
  config: ContentfulConfig;
  currency: string;
}

/** Creates the service, and the source of its webhooks: null without a signing secret. */
export function createContentfulService(
  deps: ContentfulDependencies,
): ContentfulService & { source: WebhookSource | null } {
  const { db, config } = deps;
  const applyEntry = createEntryApplication(deps);
  const space = createSpace(config);
  const prepare = createPreparation({ config, currency: deps.currency, space });
  const { webhookSecret: secret, contentType } = config;
  return {
    sync: space === null ? null : createContentfulSync({ ...deps, space, prepare, applyEntry }),
    source: secret === null ? null : createContentfulSource({ db, secret, contentType, prepare, applyEntry }),
  };
}
