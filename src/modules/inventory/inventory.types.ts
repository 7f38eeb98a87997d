/** The most units of a variant that the shop counts; the database holds to it, too. */
export const MAX_ON_HAND = 1_000_000_000;
