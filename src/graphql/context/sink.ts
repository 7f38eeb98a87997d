import { encodeCursor, type Cursor } from '../../events/cursor.ts';

/** The result of an event, serialized: one for all subscribers that get it. */
export class EventText {
  readonly text: string;
  readonly #position: Cursor;
  #cursor: string | undefined;
  #bytes: Buffer | undefined;

  /** @param position of the event in the log */
  constructor(text: string, position: Cursor) {
    this.text = text;
    this.#position = position;
  }

  /** The position of the event as clients get it. */
  get cursor(): string {
    return (this.#cursor ??= encodeCursor(this.#position));
  }

  /** The text in UTF-8. */
  get bytes(): Buffer {
    return (this.#bytes ??= Buffer.from(this.text));
  }
}

/** Where a subscriber's events go. */
export interface Sink {
  /** Takes the text of a result. False: the subscriber has left too much unread, and this one was not taken. */
  push(result: EventText): boolean;
  /** Whether there is room, for those that send as fast as the subscriber reads. */
  readonly hasRoom: boolean;
  /** Resolves when there is room. */
  room(): Promise<void>;
  /** What is pushed from here to `uncork()` may be sent together. */
  cork(): void;
  uncork(): void;
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
