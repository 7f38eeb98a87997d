/** An event as it arrives. */
export interface Change {
  cursor: string;
  available: number;
}

/** What each transport is given. */
export interface Following {
  variables: { variantIds: string[] | null; productIds: string[] | null; after: string };
  /** The URL of the node to connect to. */
  url(): string;
  /** Resolves when it is time to connect again. */
  away(): Promise<unknown>;
  /** Call it with each connection, and with how to drop it. @returns what to call when the connection has ended */
  opened(url: string, drop: () => void): () => void;
  next(event: Change): void;
  fault(what: string): void;
}

export const SUBSCRIPTION = `subscription ($variantIds: [ID!], $productIds: [ID!], $after: EventCursor) {
  stockChanged(variantIds: $variantIds, productIds: $productIds, after: $after) { cursor available } }`;
