/** Where a subscriber's events go. */
export interface Sink {
  /** Takes the text of a result. False: the subscriber has left too much unread, and this one was not taken. */
  push(payload: string, cursor: string): boolean;
  /** Resolves when there is room, for who sends as fast as the subscriber reads. */
  room(): Promise<void>;
  /** Called once if the subscription ends before its subscriber leaves. Nothing is pushed after that. */
  fail(error: Error): void;
}

/** One who subscribed. */
export interface Membership {
  /** Sends nothing more, not even the completion. */
  leave(): void;
}

/** Where one operation on a socket can put its events. */
export interface SocketSink extends Sink {
  /**
   * Takes charge of the subscription, its end included: of all that it took to start, nothing has to be kept. False where the
   * client has left: nothing was joined.
   * @param isPublic whether the result is the same for every viewer
   */
  takeOver(join: (sink: Sink) => Membership, isPublic: boolean): boolean;
}
