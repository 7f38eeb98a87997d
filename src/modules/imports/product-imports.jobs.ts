import { z } from 'zod';
import { every } from '../../infra/every.ts';
import type { Logger } from '../../infra/logger.ts';
import { defineJob, type Job } from '../../jobs/define-job.ts';
import type { ImportRunner } from './product-imports.runner.ts';

const payload = z.object({ importId: z.guid() });

export type ProductImportPayload = z.infer<typeof payload>;

/** The job that runs an import. Its row says whether there is anything to run, and where to go on. */
export function createProductImportJob(imports: Pick<ImportRunner, 'run'>): Job<ProductImportPayload> {
  return defineJob({
    name: 'product-import',
    schema: payload,
    run: ({ importId }, { signal }) => imports.run(importId, signal),
  });
}

const SWEEP_MS = 10_000;

/** Runs imports whose job was lost, or whose process is gone. */
export function startProductImportSweep({
  imports,
  logger,
}: {
  imports: ImportRunner;
  logger: Logger;
}): AsyncDisposable {
  return every({
    ms: SWEEP_MS,
    atOnce: true,
    failed: 'the sweep of product imports failed; retrying',
    logger,
    async run(signal) {
      for (const importId of await imports.findLost()) {
        if (signal.aborted) return;
        await imports.run(importId, signal).catch((error: unknown) => {
          if (!signal.aborted) logger.warn({ err: error, importId }, 'import could not be run; retrying');
        });
      }
    },
  });
}
