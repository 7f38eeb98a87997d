import { byStep, type Candidate } from './promotion-steps.ts';
import type { PromotionScope } from './quote.types.ts';

/*
 * Which promotions to combine. Two promotions may be combined if each allows the scope of the other, so all that matters of one
 * is its kind: its scope and the scopes that it allows. Of a kind that does not allow its own scope, one promotion at most can be
 * chosen; of the others, all.
 */

/** What a set of promotions comes to. */
export interface Outcome {
  /** What the shopper pays; the less the better. */
  totalMinor: bigint;
  /** IDs of the promotions that took something off, in ascending order. */
  appliedIds: readonly string[];
}

/** How many units of work (a promotion applied to a line) the search may spend. A cart within it gets the best of all sets. */
const EFFORT = 6000;
/** How many ways to choose among promotions that cannot be combined are looked at. */
const MAX_CHOICES = 4096;

function allows(a: Candidate, scope: PromotionScope): boolean {
  return a.terms.combinesWith.includes(scope);
}

function areCombinable(a: Candidate, b: Candidate): boolean {
  return allows(a, b.terms.scope) && allows(b, a.terms.scope);
}

/** Promotions of one kind, the one that promises most first. */
interface Kind {
  isSelfCombinable: boolean;
  members: Candidate[];
}

function kindsOf(candidates: readonly Candidate[], floorOf: (set: readonly Candidate[]) => bigint): Kind[] {
  const kinds = new Map<string, Kind>();
  for (const candidate of candidates) {
    const { scope, combinesWith } = candidate.terms;
    const key = `${scope}:${(['LINES', 'ORDER', 'SHIPPING'] as const).filter((other) => combinesWith.includes(other)).join()}`;
    const kind = kinds.get(key) ?? { isSelfCombinable: allows(candidate, scope), members: [] };
    kind.members.push(candidate);
    kinds.set(key, kind);
  }
  for (const { members } of kinds.values()) {
    members.sort((a, b) => {
      const [left, right] = [floorOf([a]), floorOf([b])];
      return left < right ? -1 : left > right ? 1 : a.terms.id < b.terms.id ? -1 : 1;
    });
  }
  return [...kinds.values()];
}

/** All sets of kinds that can be combined and that no further kind can join. There are few kinds, so they are tried one by one. */
function combinableKinds(kinds: readonly Kind[]): Kind[][] {
  const fits = (set: readonly Kind[], kind: Kind) =>
    set.every((other) => {
      const [a] = other.members;
      const [b] = kind.members;
      return a !== undefined && b !== undefined && areCombinable(a, b);
    });
  const found: Kind[][] = [];
  const extend = (set: Kind[], rest: readonly Kind[], passed: readonly Kind[]): void => {
    if (rest.length === 0 && passed.length === 0) found.push(set);
    rest.forEach((kind, index) => {
      const next = [...set, kind];
      const stillFits = (other: Kind) => fits([kind], other);
      extend(next, rest.slice(index + 1).filter(stillFits), [...passed, ...rest.slice(0, index)].filter(stillFits));
    });
  };
  extend([], kinds, []);
  return found;
}

/** One promotion of each kind that allows no two, with all of the others: every way to choose. */
function* choicesOf(kinds: readonly Kind[]): Generator<Candidate[]> {
  const all = kinds.filter((kind) => kind.isSelfCombinable).flatMap((kind) => kind.members);
  const single = kinds.filter((kind) => !kind.isSelfCombinable);
  function* choose(index: number, chosen: Candidate[]): Generator<Candidate[]> {
    const kind = single[index];
    if (kind === undefined) yield chosen;
    else for (const member of kind.members) yield* choose(index + 1, [...chosen, member]);
  }
  yield* choose(0, all);
}

function hasLowerIds(a: Outcome, b: Outcome): boolean {
  for (const [index, id] of a.appliedIds.entries()) {
    const other = b.appliedIds[index];
    if (other === undefined) return false;
    if (id !== other) return id < other;
  }
  return a.appliedIds.length < b.appliedIds.length;
}

/** Whether more promotions in the set could make it dearer by the rounding of shares. */
function mayRoundUp(set: readonly Candidate[]): boolean {
  const last = set.length - 1;
  return set.some(({ terms, targeted }, index) => {
    const { kind } = terms.effect;
    if (kind === 'BUY_X_GET_Y') return last > 0;
    const isShared = kind === 'FIXED_ACROSS' || (terms.scope === 'ORDER' && kind !== 'FREE');
    return isShared && targeted.length > 1 && index < last;
  });
}

/** How sets are compared. */
export interface Search<T extends Outcome> {
  /** What a set comes to; it is given the set in the order in which to apply it. */
  evaluate: (set: readonly Candidate[]) => T;
  /** An amount that no set with these promotions, or some of them, costs less than. */
  floorOf: (set: readonly Candidate[]) => bigint;
  lineCount: number;
  /** Whether cheaper goods may make shipping dearer. */
  shippingDependsOnGoods: boolean;
}

/**
 * Finds the set of promotions with the lowest total. Of equal ones those win to which nothing can be added, and of these the one
 * whose promotions have the lower ids. Within `EFFORT` every
 * set that could be the best is tried, and so a further promotion never raises the total. A cart with very many lines and promotions
 * gets the best of those tried, which is the same on every node.
 */
export function findBest<T extends Outcome>(candidates: readonly Candidate[], search: Search<T>): T {
  const { evaluate, floorOf, lineCount, shippingDependsOnGoods } = search;
  let best = evaluate([]);
  let isBestWhole = false;
  if (candidates.length === 0) return best;
  let effort = 0;
  const seen = new Set<string>();
  const consider = (ordered: readonly Candidate[], isWhole: boolean): void => {
    const key = ordered.map(({ terms }) => terms.id).join();
    if (seen.has(key)) return;
    seen.add(key);
    effort += (1 + ordered.length) * lineCount;
    const outcome = evaluate(ordered);
    if (outcome.totalMinor > best.totalMinor) return;
    // What can be combined is combined, unless leaving something out is cheaper.
    if (outcome.totalMinor === best.totalMinor) {
      if (isWhole !== isBestWhole ? isBestWhole : !hasLowerIds(outcome, best)) return;
    }
    best = outcome;
    isBestWhole = isWhole;
  };

  const sets: { set: Candidate[]; floor: bigint }[] = [];
  for (const kinds of combinableKinds(kindsOf(candidates, floorOf))) {
    for (const set of choicesOf(kinds)) {
      sets.push({ set: set.toSorted(byStep), floor: floorOf(set) });
      if (sets.length === MAX_CHOICES) break;
    }
  }
  // Those that promise most come first, so that the others can be ruled out by what they promise.
  sets.sort((a, b) => (a.floor < b.floor ? -1 : a.floor > b.floor ? 1 : 0));
  for (const { set, floor } of sets) {
    if (effort > EFFORT || floor > best.totalMinor) break;
    consider(set, true);
    if (!shippingDependsOnGoods && !mayRoundUp(set)) continue;
    for (const subset of subsetsOf(set)) {
      if (effort > EFFORT) break;
      consider(subset, false);
    }
  }
  return best;
}

/** The subsets of a set, the largest first. */
function* subsetsOf(set: readonly Candidate[]): Generator<Candidate[]> {
  for (let size = set.length - 1; size > 0; size -= 1) yield* pick(set, size);
}

function* pick(set: readonly Candidate[], size: number, from = 0): Generator<Candidate[]> {
  if (size === 0) {
    yield [];
    return;
  }
  for (let index = from; index <= set.length - size; index += 1) {
    const first = set[index];
    if (first !== undefined) for (const rest of pick(set, size - 1, index + 1)) yield [first, ...rest];
  }
}
