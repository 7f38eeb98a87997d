import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';

export type Transport = 'SSE' | 'WebSocket';

/** Called with the position in the log of each event. */
type OnEvent = (seq: number) => void;

const QUERY = 'subscription ($after: EventCursor) { stockChanged(after: $after) { cursor available } }';

interface Answer {
  data?: { stockChanged: { cursor: string } | null } | null;
  errors?: unknown;
}

/** Replays a node's log from a cursor, until so many events have arrived. Pauses once, during which it reads nothing. */
export async function readAll(
  url: string,
  transport: Transport,
  options: { cursor: string; events: number; pauseAfter: number; pauseMs: number; onEvent: OnEvent },
): Promise<void> {
  const { cursor, events, pauseAfter, pauseMs, onEvent } = options;
  let count = 0;
  const take = (answer: Answer) => {
    const change = answer.data?.stockChanged;
    if (change == null) throw new Error(`an answer without an event: ${JSON.stringify(answer)}`);
    onEvent(seqOf(change.cursor));
    count += 1;
  };
  const isOver = () => count >= events;
  let paused = false;
  const pause = () => {
    if (paused || count < pauseAfter) return null;
    paused = true;
    return delay(pauseMs);
  };
  await (transport === 'SSE'
    ? overSse(url, cursor, take, isOver, pause)
    : overSocket(url, cursor, take, isOver, pause));
}

async function overSse(
  url: string,
  after: string,
  take: (answer: Answer) => void,
  isOver: () => boolean,
  pause: () => Promise<void> | null,
): Promise<void> {
  const leave = new AbortController();
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: QUERY, variables: { after } }),
    signal: leave.signal,
  });
  if (response.body === null) throw new Error(`status ${response.status}`);
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: {')) take(JSON.parse(line.slice(6)) as Answer);
    if (isOver()) break;
    await pause();
  }
  leave.abort();
  if (!isOver()) throw new Error('the stream ended too early');
}

async function overSocket(
  url: string,
  after: string,
  take: (answer: Answer) => void,
  isOver: () => boolean,
  pause: () => Promise<void> | null,
): Promise<void> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init' }));
  await new Promise<void>((resolve, reject) => {
    socket.on('message', (data: Buffer) => {
      try {
        const message = JSON.parse(data.toString()) as { type: string; payload?: unknown };
        if (message.type === 'connection_ack') {
          socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: QUERY, variables: { after } } }));
        } else if (message.type === 'next') {
          take(message.payload as Answer);
          if (isOver()) resolve();
          const pausing = pause();
          if (pausing !== null) {
            // Nothing is read from the connection meanwhile.
            socket.pause();
            void pausing.then(() => socket.resume());
          }
        } else if (message.type === 'ping') socket.send('{"type":"pong"}');
        else throw new Error(`a message that is no event: ${data.toString()}`);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.once('close', (code) => reject(new Error(`the socket was closed: ${code}`)));
  }).finally(() => socket.terminate());
}

function seqOf(cursor: string): number {
  return Number(Buffer.from(cursor, 'base64url').toString('latin1').split('.')[1]);
}
