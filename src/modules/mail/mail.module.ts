import type { Job } from '../../jobs/define-job.ts';
import type { ShopModule } from '../module.ts';
import type { LetterRenderer } from './letter-renderer.ts';
import type { MailPayload } from './mail.jobs.ts';
import { createMailNotices } from './mail-notices.consumer.ts';
import { createMailService, type MailService } from './mail.service.ts';
import { createMailSettingsService, type MailSettingsService } from './mail-settings.service.ts';
import type { Letters } from './mail.types.ts';

declare module '../module.ts' {
  interface ShopServices {
    mails: MailService;
    mailSettings: MailSettingsService;
  }
  interface Nudges {
    /** Emails are to be sent in `delayMs` milliseconds, which is at `at` by the database's clock. */
    mail(mailIds: readonly string[], delayMs: number, at: Date): void;
  }
  interface ShopJobs {
    mail: Job<MailPayload>;
  }
  interface WorkOverrides {
    letters?: (real: Letters) => Letters;
    /** Renders letters in place of the thread. */
    letterRenderer?: LetterRenderer;
  }
}

/** Emails as rows, the letters that are made of them, and the settings of their recipients. */
export const mailModule: ShopModule = {
  name: 'mail',
  services({ config, db, nudges, services }) {
    const { staff } = services;
    return {
      mails: createMailService({ db, staff, nudges, from: config.mail.from }),
      mailSettings: createMailSettingsService({ db, services, secrets: config.secrets }),
    };
  },
  nudges: ['mail'],
  consumers: ({ services }) => [createMailNotices(services)],
  async work({ config, publicUrl, db, services, nudges, mailer, logger, tracer, overrides }) {
    const [
      { createMailJob, mailJobId, MAILS_PER_JOB },
      { createMailSending },
      { createLetters },
      { createLetterRenderer },
      { startMailPruning, startMailSweep },
    ] = await Promise.all([
      import('./mail.jobs.ts'),
      import('./mail-sending.ts'),
      import('./letters.ts'),
      import('./letter-renderer.ts'),
      import('./mail-sweep.ts'),
    ]);
    const renderer = overrides.letterRenderer ?? createLetterRenderer();
    const real = createLetters({ db, shop: config.shop, publicUrl, services, renderer });
    const sending = createMailSending({ db, mailer, letters: overrides.letters?.(real) ?? real, nudges, tracer });
    return {
      jobs: { mail: createMailJob(sending) },
      nudges: ({ mail }, enqueue) => ({
        mail(mailIds, delayMs, at) {
          for (let from = 0; from < mailIds.length; from += MAILS_PER_JOB) {
            const some = mailIds.slice(from, from + MAILS_PER_JOB);
            void enqueue(mail, { mailIds: some }, { id: mailJobId(some, at), delayMs });
          }
        },
      }),
      upkeep: ({ mail }, enqueue) => [
        startMailSweep({
          ...{ db, sending, logger },
          nudge: (mailIds, at, traceparent) =>
            enqueue(mail, { mailIds: [...mailIds] }, { id: mailJobId(mailIds, at), traceparent }),
        }),
        startMailPruning({ db, eventRetentionDays: config.eventRetentionDays, logger }),
        renderer,
      ],
    };
  },
  graphql: () => Promise.all([import('./mail.graphql.ts'), import('./notification-settings.graphql.ts')]),
};
