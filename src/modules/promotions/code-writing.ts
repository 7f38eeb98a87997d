import { readClock } from '../../infra/postgres/clock.ts';
import type { Database, Transaction } from '../../infra/postgres/database.ts';
import type { FieldChange, StaffActionKind } from '../staff/staff.service.ts';
import { GenericError, refuse, Refusal } from '../user-error.ts';
import { drawCodes } from './code-generator.ts';
import * as repository from './code.repository.ts';
import type { CodeGeneration } from './promotion-input.ts';
import { lockPromotion } from './promotion.repository.ts';
import type { NewCode, Promotion } from './promotion.types.ts';

/** A promotion, and the codes that a mutation was about, as staff write them. */
export interface WrittenCodes {
  promotion: Promotion;
  codes: string[];
}

/** How the codes of promotions are written. A code belongs to one promotion at most. */
export interface CodeWriting {
  /**
   * Adds codes. Codes that the promotion has already stay as they are.
   * @returns the codes that were added
   * @throws Refusal: CONFLICT if another promotion has a code, or the promotion applies automatically
   */
  addCodes(actorId: string, promotionId: string, codes: readonly NewCode[]): Promise<WrittenCodes>;
  /** Generates codes that cannot be guessed, and adds them. */
  generateCodes(actorId: string, promotionId: string, generation: CodeGeneration): Promise<WrittenCodes>;
  /** Removes codes. @throws Refusal: NOT_FOUND if the promotion does not have a code */
  removeCodes(actorId: string, promotionId: string, codes: readonly NewCode[]): Promise<WrittenCodes>;
}

interface Dependencies {
  db: Database;
  note(
    tx: Transaction,
    at: Date,
    of: { actorId: string; kind: StaffActionKind; id: string; changes: FieldChange[] },
  ): Promise<void>;
  reread(tx: Transaction, id: string): Promise<Promotion>;
}

const LISTED = 10;

/** Codes as the record of staff shows them: a few by name, many by number. */
function recorded(codes: readonly string[]): string {
  return codes.length <= LISTED ? codes.join(', ') : `${codes.length} codes, ${codes[0]} among them`;
}

/** Wires the writing of codes. */
export function createCodeWriting({ db, note, reread }: Dependencies) {
  async function keepByCode(tx: Transaction, id: string): Promise<Promotion> {
    const promotion = await lockPromotion(tx, id, 'KEEP');
    if (promotion === null) refuse('NOT_FOUND', 'Promotion not found.', ['promotionId']);
    if (promotion.trigger === 'AUTOMATIC') {
      refuse('CONFLICT', 'The promotion applies automatically, and has no codes.', ['promotionId']);
    }
    return promotion;
  }

  /** Inserts codes, and refuses those that another promotion has. @returns the codes that were added */
  async function insert(tx: Transaction, at: Date, promotionId: string, codes: readonly NewCode[]): Promise<string[]> {
    if (codes.length === 0) return [];
    const added = await repository.insertCodes(tx, at, promotionId, codes);
    const left = codes.filter(({ normalized }) => !added.has(normalized));
    if (left.length > 0) {
      const owners = await repository.findOwners(
        tx,
        left.map(({ normalized }) => normalized),
      );
      const faults = codes.flatMap(({ code, normalized }, index) => {
        if (added.has(normalized) || owners.get(normalized) === promotionId) return [];
        return [
          new GenericError('CONFLICT', `The code ${code} belongs to another promotion.`, ['codes', String(index)]),
        ];
      });
      if (faults.length > 0) throw new Refusal(...faults);
    }
    return codes.filter(({ normalized }) => added.has(normalized)).map(({ code }) => code);
  }

  async function written(
    tx: Transaction,
    { actorId, promotion, codes }: { actorId: string; promotion: Promotion; codes: string[] },
    kind: 'PROMOTION_CODES_ADDED' | 'PROMOTION_CODES_REMOVED',
    at: Date,
  ): Promise<WrittenCodes> {
    const { id } = promotion;
    if (codes.length === 0) return { promotion, codes };
    const text = recorded(codes);
    const change =
      kind === 'PROMOTION_CODES_ADDED'
        ? { field: 'codes', before: null, after: text }
        : { field: 'codes', before: text, after: null };
    await note(tx, at, { actorId, kind, id, changes: [change] });
    return { promotion: await reread(tx, id), codes };
  }

  return {
    insert,

    addCodes: (actorId: string, promotionId: string, entered: readonly NewCode[]) =>
      db.transaction(async (tx) => {
        const promotion = await keepByCode(tx, promotionId);
        const at = await readClock(tx);
        const codes = await insert(tx, at, promotionId, entered);
        return written(tx, { actorId, promotion, codes }, 'PROMOTION_CODES_ADDED', at);
      }),

    generateCodes: (actorId: string, promotionId: string, { count, ...kind }: CodeGeneration) =>
      db.transaction(async (tx) => {
        const promotion = await keepByCode(tx, promotionId);
        const at = await readClock(tx);
        const codes: string[] = [];
        while (codes.length < count) {
          // A code that is taken already, which hardly ever happens, is replaced by another random one.
          const drawn = drawCodes(count - codes.length, kind);
          const added = await repository.insertCodes(tx, at, promotionId, drawn);
          for (const { code, normalized } of drawn) if (added.has(normalized)) codes.push(code);
        }
        return written(tx, { actorId, promotion, codes }, 'PROMOTION_CODES_ADDED', at);
      }),

    removeCodes: (actorId: string, promotionId: string, entered: readonly NewCode[]) =>
      db.transaction(async (tx) => {
        const promotion = await keepByCode(tx, promotionId);
        const at = await readClock(tx);
        const removed = await repository.deleteCodes(
          tx,
          promotionId,
          entered.map(({ normalized }) => normalized),
        );
        const missing = entered.flatMap(({ code, normalized }, index) =>
          removed.has(normalized)
            ? []
            : [
                new GenericError('NOT_FOUND', `The promotion does not have the code ${code}.`, [
                  'codes',
                  String(index),
                ]),
              ],
        );
        if (missing.length > 0) throw new Refusal(...missing);
        const codes = entered.map(({ code }) => code);
        return written(tx, { actorId, promotion, codes }, 'PROMOTION_CODES_REMOVED', at);
      }),
  };
}
