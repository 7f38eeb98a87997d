import type { Client, Sink, SubscribePayload } from 'graphql-ws';

/** One call of `subscribe`: what was asked, as it was then, and where the test puts the answers. */
export interface ScriptedCall {
  payload: SubscribePayload;
  sink: Sink<object>;
  stopped: boolean;
}

/** A client of graphql-ws's shape that asks nobody: the test says what comes. */
export function scriptedSocketClient(): { client: Client; calls: ScriptedCall[] } {
  const calls: ScriptedCall[] = [];
  const client: Client = {
    on: () => () => {},
    subscribe(payload, sink) {
      const call = { payload: structuredClone(payload), sink: sink as Sink<object>, stopped: false };
      calls.push(call);
      return () => {
        call.stopped = true;
        sink.complete();
      };
    },
    iterate: () => {
      throw new Error('nobody iterates here');
    },
    terminate: () => {},
    dispose: () => {},
  };
  return { client, calls };
}
