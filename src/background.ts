import { DEFAULT_PORT, type Config } from './config/config.ts';
import type { EventBus } from './events/bus.ts';
import type { Consumer } from './events/consumer.ts';
import { createPageViewer } from './modules/accounts/page-viewer.ts';
import { createMailboxPage } from './http/mailbox-page.ts';
import { mailboxToken } from './infra/mail/mailer-mailbox.ts';
import { defaultPublicUrl } from './http/origin-rule.ts';
import type { Page } from './http/pages.ts';
import type { HttpServer } from './http/server.ts';
import type { Database } from './infra/postgres/database.ts';
import type { Logger } from './infra/logger.ts';
import { createMailer, mailboxFolder } from './infra/mail/mailer-choice.ts';
import type { Metrics } from './infra/metrics.ts';
import type { Tracer } from './infra/tracing/tracer.ts';
import type { JobPlace } from './jobs/backend-choice.ts';
import type { BackgroundWork } from './jobs/background-work.ts';
import type { Nudges, ShopJobs, ShopServices, WorkOverrides } from './modules/module.ts';

/** What a process does beside answering requests, and the pages that show it. */
export interface Background extends BackgroundWork {
  /** Null where mails go to a server. */
  mailboxPage: Page | null;
}

/** Loads the job queue, which only processes that run the shop have. */
export const loadBackground = () => import('./jobs/background-work.ts');

/** Starts it; where nothing is to happen by itself, none of it runs. Loaded by those alone who need it: commands enqueue nothing. */
export async function startBackground(options: {
  config: Config;
  core: {
    db: Database;
    bus: EventBus;
    connectionString: string;
    home: string;
    jobPlace: JobPlace;
    services: ShopServices;
    consumers: readonly Consumer[];
    metrics: Metrics;
    tracer: Tracer | null;
    connectNudges(target: Nudges): void;
  };
  http: Pick<HttpServer, 'publicUrl'>;
  /** For tests. */
  overrides: WorkOverrides & { jobs?: (real: ShopJobs) => ShopJobs; quiet?: true };
  logger: Logger;
}): Promise<Background> {
  const { config, core, http, overrides, logger } = options;
  const { publicUrl } = http;
  const roleOf = createPageViewer({ config, publicUrl, sessions: core.services.sessions });
  const folder = mailboxFolder(config);
  if (folder !== null && config.production)
    logger.warn({ folder }, 'SMTP_URL is not set; emails are kept in the local mailbox');
  const mailboxPage =
    folder === null
      ? null
      : createMailboxPage({ folder, shopName: config.shop.name, token: mailboxToken(config.secrets), roleOf });
  const { startBackgroundWork } = await loadBackground();
  const quiet = overrides.quiet === true;
  const work = await startBackgroundWork({
    config: quiet ? { ...config, roles: ['api'] } : config,
    publicUrl: whereLinksLead(config, publicUrl, logger),
    core,
    mailer: createMailer(config),
    roleOf,
    logger,
    metrics: core.metrics,
    overrides,
    watchQueue: !quiet,
  });
  if (!quiet) core.connectNudges(work.nudges);
  return { ...work, mailboxPage };
}

/** Where links in mails lead: never to a worker alone, which serves no page of theirs. */
function whereLinksLead({ roles, http }: Config, publicUrl: string, logger: Logger): string {
  if (http.publicUrl !== null || roles.includes('api')) return publicUrl;
  const guess = defaultPublicUrl(http.host, DEFAULT_PORT);
  logger.warn({ guess }, 'PUBLIC_URL is not set; links in emails lead to the default address of the API');
  return guess;
}
