/*
 * IDs of rows that benchmarks fill in: like those of the shop (UUIDv7), they are in the order in which the rows were made, so that
 * rows of the same time lie beside each other. They follow from a number, so that nothing has to be joined.
 */

const KINDS = [
  ...['variant', 'live guest', 'live cart', 'live line', 'old guest', 'old cart', 'old line'],
  ...['order guest', 'order cart', 'order'],
] as const;
type Kind = (typeof KINDS)[number];

/** SQL of the ID of the nth row of a kind, from 1. @param n SQL of the number */
export const uuidOf = (kind: Kind, n = 'n') =>
  `(lpad(to_hex(${n}), 8, '0') || '-0000-4000-8000-00000000000${KINDS.indexOf(kind)}')::uuid`;

/** The same ID as text. */
export const idOf = (kind: Kind, n: number) =>
  `${n.toString(16).padStart(8, '0')}-0000-4000-8000-00000000000${KINDS.indexOf(kind)}`;
