import { connect, type Socket } from 'node:net';

/*
 * A process of clients that keep to every limit and wear the shop out all the same: they subscribe and never read, read slowly,
 * ask a different question each time, and send as much as they may. Its parent says when they come and when they go.
 */

/** What the parent sends. `networks` have limits of their own each. */
export interface Order {
  url: string;
  on: boolean;
  networks: number;
}

const SOCKETS_UNREAD = 15;
const SOCKETS_SLOW = 10;
const STREAMS_UNREAD = 10;
/** Connections with unread answers, and how many answers on each: as much as a network may ask in half a minute. */
const ANSWERS_UNREAD = 5;
const ANSWERS_EACH = 40;
const SUBSCRIPTIONS = 10;
/** Below the 600 operations a minute that a network may send, with what it takes to connect. */
const OPERATIONS_PER_SECOND = 6;
/** Below the 600 frames a minute of a socket. */
const PINGS_PER_SECOND = 8;
const SLOW_BYTES_PER_SECOND = 2_000;

const connections = new Set<Socket>();
let timers: NodeJS.Timeout[] = [];
let documents = 0;

const network = (number: number) => `198.51.100.${number}`;

/** Never the same twice, so that nothing of it can be shared or kept. */
function document(): string {
  documents += 1;
  return `subscription { d${documents}: stockChanged { cursor available variant { sku title price { amount } product { title description slug variants { sku available } } } } }`;
}

function frame(opcode: number, data: string): Buffer {
  const payload = Buffer.from(data);
  const head =
    payload.length < 126
      ? [0x80 | opcode, 0x80 | payload.length]
      : [0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 255];
  return Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]);
}

function open(url: string, first: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.once('close', () => connections.delete(socket));
  connections.add(socket);
  socket.pause();
  socket.write(first);
  return socket;
}

const get = (address: string, query: string, accept: string) =>
  `GET /graphql?query=${encodeURIComponent(query)} HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: ${address}\r\naccept: ${accept}\r\n\r\n`;

function subscriber(url: string, address: string): Socket {
  const socket = open(
    url,
    `GET /graphql HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: ${address}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n`,
  );
  socket.write(frame(1, JSON.stringify({ type: 'connection_init' })));
  let said = '';
  const hear = (chunk: Buffer) => {
    said += chunk.toString('latin1');
    if (!said.includes('connection_ack')) return;
    socket.off('data', hear).pause();
    for (let id = 0; id < SUBSCRIPTIONS; id += 1) {
      socket.write(frame(1, JSON.stringify({ id: String(id), type: 'subscribe', payload: { query: document() } })));
    }
    socket.emit('subscribed');
  };
  socket.on('data', hear).resume();
  return socket;
}

/** Reads a little each second, once it has subscribed. */
function readSlowly(socket: Socket): void {
  let budget = 0;
  socket.once('subscribed', () => {
    socket.on('data', (chunk: Buffer) => {
      budget -= chunk.length;
      if (budget < 0) socket.pause();
    });
    every(1_000, () => {
      budget = Math.min(SLOW_BYTES_PER_SECOND, budget + SLOW_BYTES_PER_SECOND);
      if (budget > 0) socket.resume();
    });
  });
}

function every(ms: number, work: () => void): void {
  timers.push(setInterval(work, ms));
}

const COPIES = Array.from({ length: 14 }, (_, i) => `c${i}: description`).join(' ');
const LARGE = `{ products(first: 50) { nodes { title slug ${COPIES} } } }`;

async function flood(url: string, address: string): Promise<void> {
  documents += 1;
  const query = `{ d${documents}: products(first: 20) { nodes { title variants { sku available } } } }`;
  await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
    body: JSON.stringify({ query }),
  }).then(
    (response) => response.text(),
    () => '',
  );
}

function come({ url, networks }: Order): void {
  for (let number = 1; number <= networks; number += 1) {
    const address = network(number);
    const sockets = Array.from({ length: SOCKETS_UNREAD }, () => subscriber(url, address));
    for (let i = 0; i < SOCKETS_SLOW; i += 1) readSlowly(subscriber(url, address));
    for (let i = 0; i < STREAMS_UNREAD; i += 1) open(url, get(address, document(), 'text/event-stream'));
    for (let i = 0; i < ANSWERS_UNREAD; i += 1) open(url, get(address, LARGE, 'application/json').repeat(ANSWERS_EACH));
    every(1_000 / OPERATIONS_PER_SECOND, () => void flood(url, address));
    every(1_000 / PINGS_PER_SECOND, () => {
      for (const socket of sockets)
        if (socket.writable && socket.writableLength < 10_000) socket.write(frame(9, 'x'.repeat(100)));
    });
    // The shop may have closed some: their places are taken again, as an attacker would.
    every(5_000, () => {
      for (let i = sockets.filter(({ destroyed }) => !destroyed).length; i < SOCKETS_UNREAD; i += 1) {
        sockets.push(subscriber(url, address));
      }
    });
  }
}

function go(): void {
  for (const timer of timers) clearInterval(timer);
  timers = [];
  for (const socket of connections) socket.destroy();
}

process.on('message', (order: Order) => {
  if (order.on) come(order);
  else go();
  process.send?.({ done: order.on });
});
process.once('disconnect', () => process.exit(0));
