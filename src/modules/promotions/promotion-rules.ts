import { InvalidInputError } from '../invalid-input.ts';
import { GenericError, type UserError } from '../user-error.ts';
import type { Promotion, PromotionTerms } from './promotion.types.ts';

/*
 * Which terms go together. The database's CHECKs say the same; here each fault names the field of the input.
 */

/** The terms that depend on others, by the names of the input's fields. */
type Checked = Pick<
  PromotionTerms,
  | 'trigger'
  | 'scope'
  | 'kind'
  | 'percentPpm'
  | 'amountMinor'
  | 'buyQuantity'
  | 'getQuantity'
  | 'maxSets'
  | 'getProductIds'
  | 'getVariantIds'
  | 'getCategoryIds'
  | 'getTags'
  | 'endsAt'
> & { startsAt: Date | null; codes?: readonly unknown[] };

function required(field: string, because: string): InvalidInputError {
  return new InvalidInputError('REQUIRED', `${field} is required if ${because}.`, [field]);
}

function doesNotApply(field: string, because: string): InvalidInputError {
  return new InvalidInputError('NOT_APPLICABLE', `${field} cannot be set unless ${because}.`, [field]);
}

function faultsOfValues(terms: Checked): InvalidInputError[] {
  const { kind, percentPpm, amountMinor, buyQuantity, getQuantity, maxSets } = terms;
  const faults: InvalidInputError[] = [];
  const needs = (field: string, isSet: boolean, isMeant: boolean, kinds: string) => {
    if (isMeant && !isSet) faults.push(required(field, `kind is ${kinds}`));
    if (!isMeant && isSet) faults.push(doesNotApply(field, `kind is ${kinds}`));
  };
  const isSets = kind === 'BUY_X_GET_Y';
  needs('percent', percentPpm !== null, kind === 'PERCENT' || isSets, 'PERCENT or BUY_X_GET_Y');
  needs('amount', amountMinor !== null, kind === 'FIXED_EACH' || kind === 'FIXED_ACROSS', 'FIXED_EACH or FIXED_ACROSS');
  needs('buyQuantity', buyQuantity !== null, isSets, 'BUY_X_GET_Y');
  needs('getQuantity', getQuantity !== null, isSets, 'BUY_X_GET_Y');
  if (isSets) return faults;
  if (maxSets !== null) faults.push(doesNotApply('maxSets', 'kind is BUY_X_GET_Y'));
  for (const field of ['getProductIds', 'getVariantIds', 'getCategoryIds', 'getTags'] as const) {
    if (terms[field].length > 0) faults.push(doesNotApply(field, 'kind is BUY_X_GET_Y'));
  }
  return faults;
}

/** Reasons why terms do not go together, each with the field that it concerns. */
export function faultsOfTerms(terms: Checked): InvalidInputError[] {
  const { trigger, scope, kind, startsAt, endsAt, codes = [] } = terms;
  const faults = faultsOfValues(terms);
  if (scope !== 'LINES' && (kind === 'FIXED_EACH' || kind === 'BUY_X_GET_Y')) {
    faults.push(new InvalidInputError('NOT_APPLICABLE', `kind cannot be ${kind} unless scope is LINES.`, ['kind']));
  }
  if (trigger === 'AUTOMATIC' && codes.length > 0) faults.push(doesNotApply('codes', 'trigger is CODE'));
  if (startsAt !== null && endsAt !== null && endsAt.getTime() <= startsAt.getTime()) {
    faults.push(new InvalidInputError('END_NOT_AFTER_START', 'endsAt must be later than startsAt.', ['endsAt']));
  }
  return faults;
}

/** Whether a promotion counts its uses. */
export function isLimited(
  terms: Pick<PromotionTerms, 'usageLimit' | 'usageLimitPerCustomer' | 'budgetMinor'>,
): boolean {
  return terms.usageLimit !== null || terms.usageLimitPerCustomer !== null || terms.budgetMinor !== null;
}

/** Reasons why limits are lower than what a promotion has used already. */
export function conflictsWithUse(
  { used, spentMinor }: Pick<Promotion, 'used' | 'spentMinor'>,
  { usageLimit, budgetMinor }: Pick<PromotionTerms, 'usageLimit' | 'budgetMinor'>,
  spent: string,
): UserError[] {
  const faults: UserError[] = [];
  if (usageLimit !== null && usageLimit < used) {
    faults.push(
      new GenericError('CONFLICT', `The promotion has been used ${used} times, which is more than usageLimit.`, [
        'usageLimit',
      ]),
    );
  }
  if (budgetMinor !== null && budgetMinor < spentMinor) {
    faults.push(
      new GenericError('CONFLICT', `The promotion has given away ${spent}, which is more than budget.`, ['budget']),
    );
  }
  return faults;
}
