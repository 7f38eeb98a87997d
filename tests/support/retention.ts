import type { Config } from '../../src/config/config.ts';
import type { RetentionRule } from '../../src/infra/postgres/retention.ts';
import { createRetentionRules } from '../../src/jobs/upkeep.ts';
import { known } from './known.ts';

/** The rule whose rows a statement of this name deletes. */
export function retentionRule({ config }: { config: Config }, name: string): RetentionRule {
  return known(createRetentionRules(config).find((rule) => rule.remove.name === name));
}
