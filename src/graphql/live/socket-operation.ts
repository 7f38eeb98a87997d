import type { ExecutionResult, GraphQLError } from 'graphql';
import { MessageType } from 'graphql-ws';
import { formatError, maskError } from '../context/mask.ts';
import type { EventText, Membership, Sink, SocketSink } from '../context/sink.ts';
import type { SocketContext } from './socket-connection.ts';
import { requestError } from '../context/request-error.ts';
import { asRequestError, EXPIRED } from './subscribe.ts';

/** What the resolver of an operation returns, unless shared execution takes the operation over. */
type Outcome = AsyncIterableIterator<ExecutionResult> | ExecutionResult;

/**
 * An operation on a socket. It stands in graphql-ws's books from its start to its end, in place of the generator that would be
 * there: who is asked to return there leaves, whether the client said so or its socket was closed. All that it says it says
 * itself. (graphql-ws goes by the id alone: what an operation says that the client has left, and its end, would meet the next
 * one of the same id.)
 */
export class SocketOperation implements SocketSink {
  readonly #context: SocketContext;
  readonly #id: string;
  /** As it stands in each frame. */
  readonly #quotedId: string;
  #membership: Membership | undefined;
  #results: AsyncIterableIterator<ExecutionResult> | undefined;
  #left = false;
  #isTakenOver = false;
  /** Shows the same to everybody, and so does not depend on the socket's access token. */
  #isPublic = false;

  constructor(context: SocketContext, id: string) {
    this.#context = context;
    this.#id = id;
    this.#quotedId = JSON.stringify(id);
    context.subscriptions[id] = this;
  }

  /** Whether the client has left, or its socket is closed. */
  get left(): boolean {
    return this.#left;
  }

  takeOver(join: (sink: Sink) => Membership, isPublic: boolean): boolean {
    this.#isTakenOver = true;
    this.#isPublic = isPublic;
    // The client may have left meanwhile.
    if (this.#left || this.#expiredMeanwhile()) return false;
    this.#context.extra.host.running += 1;
    this.#membership = join(this);
    return true;
  }

  /** Sends the client the results, and that the operation is complete. */
  async send(outcome: Outcome): Promise<void> {
    if (this.#isTakenOver) return;
    if (!(Symbol.asyncIterator in outcome)) {
      // One after the other: together they could be more than a socket may leave unread.
      while (!this.#context.extra.hasRoom) await this.room();
      const sent = this.#next(outcome);
      this.#complete();
      await sent;
      return;
    }
    this.#results = outcome;
    if (this.#left || this.#expiredMeanwhile()) await this.return();
    try {
      for await (const result of outcome) await this.#next(result);
      this.#complete();
    } catch (error) {
      this.fail(asRequestError(error));
    }
  }

  /**
   * The time of the socket's access token is over: a subscription that needs it ends.
   * @returns false where it goes on
   */
  expire(): boolean {
    if (this.#isPublic) return false;
    this.refuse([requestError('UNAUTHENTICATED', EXPIRED)]);
    void this.#results?.return?.();
    return true;
  }

  /** The token may have expired while the subscription was about to begin. */
  #expiredMeanwhile(): boolean {
    return this.#context.extra.isExpired && this.expire();
  }

  /** Ends it with errors that are for the client. */
  refuse(errors: readonly GraphQLError[]): void {
    if (this.#end()) void this.#say(MessageType.Error, errors.map(formatError));
  }

  push({ bytes }: EventText): boolean {
    return this.#context.extra.pushNext(this.#quotedId, bytes);
  }

  get hasRoom(): boolean {
    return this.#context.extra.hasRoom;
  }

  room(): Promise<void> {
    return this.#context.extra.room();
  }

  cork(): void {
    this.#context.extra.cork();
  }

  uncork(): void {
    this.#context.extra.uncork();
  }

  fail(error: unknown): void {
    const { extra } = this.#context;
    if (this.#membership !== undefined) extra.host.failed(error);
    this.refuse([maskError(asRequestError(error), extra)]);
  }

  /** Resolves once the message has left the process; nothing is sent to a client that has left. */
  async #next({ errors, ...result }: ExecutionResult): Promise<void> {
    if (this.#left) return;
    const payload = errors === undefined ? result : { ...result, errors: errors.map(formatError) };
    await this.#say(MessageType.Next, payload);
  }

  #complete(): void {
    if (this.#end()) void this.#context.extra.send(`{"id":${this.#quotedId},"type":"complete"}`);
  }

  #say(type: MessageType, payload: object): Promise<void> {
    return this.#context.extra.send(JSON.stringify({ id: this.#id, type, payload }));
  }

  /** Takes it out of the books; false where the client has left, and its id may be another one's. */
  #end(): boolean {
    if (this.#left) return false;
    this.#leave();
    delete this.#context.subscriptions[this.#id];
    return true;
  }

  #leave(): void {
    this.#left = true;
    if (this.#membership === undefined) return;
    this.#membership.leave();
    this.#membership = undefined;
    this.#context.extra.host.running -= 1;
  }

  async return(): Promise<IteratorResult<never, undefined>> {
    this.#leave();
    await this.#results?.return?.();
    return { done: true, value: undefined };
  }

  /** graphql-ws receives no events from here: they bypass it. Calling this ends the operation. */
  next(): Promise<IteratorResult<never, undefined>> {
    return this.return();
  }

  throw(): Promise<IteratorResult<never, undefined>> {
    return this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
