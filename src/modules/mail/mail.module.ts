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
    /** A mail is to be sent in `delayMs` milliseconds, which is at `at` by the database's clock. */
    mail(mailId: string, delayMs: number, at: Date): void;
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
      { createMailJob, mailJobId },
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
        mail: (mailId, delayMs, at) => void enqueue(mail, { mailId }, { id: mailJobId(mailId, at), delayMs }),
      }),
      upkeep: ({ mail }, enqueue) => [
        startMailSweep({
          ...{ db, sending, logger },
          nudge: (mailId, at, traceparent) => enqueue(mail, { mailId }, { id: mailJobId(mailId, at), traceparent }),
        }),
        startMailPruning({ db, eventRetentionDays: config.eventRetentionDays, logger }),
        renderer,
      ],
    };
  },
  graphql: () => Promise.all([import('./mail.graphql.ts'), import('./notification-settings.graphql.ts')]),
};
