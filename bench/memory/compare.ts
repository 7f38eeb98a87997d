import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Ask as AskReaders } from '../fan-out/readers.ts';
import type { Ask, Memory, Ready } from './server.ts';

/** What an idle subscriber, or socket, costs its server, in bytes. */
export type PerSocket = Memory;

export interface Options {
  sockets: number;
  /** The environment of the server. */
  env: NodeJS.ProcessEnv;
  /** Where heap snapshots go, before and after, as `{name}-{before|after}.heapsnapshot`; none where it is left out. */
  snapshots?: string | undefined;
  /** Who the subscribers are: nobody by default. Each of the others is somebody else. */
  who?: 'people' | 'guests' | null;
  /** What is subscribed to; a shared subscription of the stock by default. */
  query?: string | null;
}

async function askFor<T>(child: ChildProcess, message?: Ask | AskReaders): Promise<T> {
  const over = new AbortController();
  const { signal } = over;
  const gone = once(child, 'exit', { signal }).then(([status]) => {
    throw new Error(`a process of the comparison ended with ${status}`);
  });
  try {
    const answer = once(child, 'message', { signal });
    if (message !== undefined) child.send(message);
    const [value] = (await Promise.race([answer, gone])) as [T];
    return value;
  } finally {
    gone.catch(() => {});
    over.abort();
  }
}

async function settled(server: ChildProcess, count: number): Promise<void> {
  const until = performance.now() + 60_000;
  while ((await askFor<number>(server, { ask: 'live' })) !== count) {
    if (performance.now() > until) throw new Error(`there are not ${count} subscribers`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Starts one of the servers and clients in a process of their own, and compares what the server holds before and after they
 * subscribed. As many were there before, and left: code that is compiled while they come, and pools that grow, are not a
 * subscriber's.
 */
export async function measure(
  which: 'shop' | 'bare',
  { sockets, env, snapshots, who = null, query: asked = null }: Options,
): Promise<PerSocket> {
  const server = fork(new URL('server.ts', import.meta.url), [which], {
    execArgv: ['--expose-gc', '--import', 'tsx'],
    env,
  });
  const open = () => fork(new URL('../fan-out/readers.ts', import.meta.url), { execArgv: ['--import', 'tsx'] });
  let clients = open();
  const snapshot = async (when: string) => {
    if (snapshots === undefined) return;
    await askFor(server, { ask: 'snapshot', file: `${snapshots}/${which}-${when}.heapsnapshot` });
  };
  try {
    const ready = await askFor<Ready>(server);
    const { url } = ready;
    const query = ready.query === null ? null : (asked ?? ready.query);
    const params = who === null ? [] : await askFor<Record<string, string>[]>(server, { ask: who, count: 2 * sockets });
    await askFor(clients, { ask: 'open', url, query, count: sockets, params: params.slice(sockets) });
    await settled(server, sockets);
    clients.kill('SIGKILL');
    await settled(server, 0);
    const before = await askFor<Memory>(server, { ask: 'memory' });
    await snapshot('before');
    clients = open();
    await askFor(clients, { ask: 'open', url, query, count: sockets, params });
    await settled(server, sockets);
    const after = await askFor<Memory>(server, { ask: 'memory' });
    await snapshot('after');
    const each = (of: keyof Memory) => (after[of] - before[of]) / sockets;
    return { heap: each('heap'), external: each('external'), resident: each('resident') };
  } finally {
    clients.kill('SIGKILL');
    server.disconnect();
    if (server.exitCode === null) await once(server, 'exit');
  }
}
