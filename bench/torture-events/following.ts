/** An event as it comes. */
export interface Told {
  cursor: string;
  available: number;
}

/** What a way to follow is given. */
export interface Following {
  variables: { variantIds: string[] | null; productIds: string[] | null; after: string };
  /** A node to come (back) to. */
  url(): string;
  /** How long to stay away. */
  away(): Promise<unknown>;
  /** To be told of each connection, with what breaks it off. @returns what is to be called when it is over */
  opened(url: string, drop: () => void): () => void;
  next(event: Told): void;
  fault(what: string): void;
}

export const SUBSCRIPTION = `subscription ($variantIds: [ID!], $productIds: [ID!], $after: EventCursor) {
  stockChanged(variantIds: $variantIds, productIds: $productIds, after: $after) { cursor available } }`;
