/** Where a subscriber's events go. */
export interface Sink {
  /** Takes the text of a result. False: the subscriber has left too much unread, and this one was not taken. */
  push(payload: string, cursor: string): boolean;
  /** Resolves when there is room, for who sends as fast as the subscriber reads. */
  room(): Promise<void>;
}
