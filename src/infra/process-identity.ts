import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** Every process must read the same start, whatever its own locale and time zone. */
const PS_ENV = { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' };

/**
 * Names a running process so that a later one that was given the same pid is not taken for it: its pid and when it was
 * started. Null where there is no such process (a zombie has ended too).
 */
export function identify(pid: number): string | null {
  const started = process.platform === 'linux' ? startOnLinux(pid) : startElsewhere(pid);
  return started === null ? null : `${pid} ${started}`;
}

/** The name of this very process, for others to find. */
export function identifySelf(): string {
  self ??= identify(process.pid);
  if (self === null) throw new Error('Cannot determine when this process was started.');
  return self;
}
let self: string | null = null;

/** Whether the process that was once named so still runs. */
export function isRunning(identity: string): boolean {
  return identity !== '' && identify(pidOf(identity)) === identity;
}

/** The pid within a process's name. */
export function pidOf(identity: string): number {
  return Number.parseInt(identity, 10);
}

/** Whether this pid is a PostgreSQL server (its first process) that serves exactly this data folder, a real path. */
export function isPostmaster(pid: number, dataDir: string): boolean {
  if (identify(pid) === null) return false;
  try {
    if (process.platform === 'linux') {
      const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      if (basename(program) !== 'postgres') return false; // its children call themselves "postgres: …"
      // A server that the shop did not start may have been given the folder in another way, but it is its working directory. Reading
      // that needs a permission that root in a container lacks, so the arguments are looked at first.
      return args[args.indexOf('-D') + 1] === dataDir || readlinkSync(`/proc/${pid}/cwd`) === dataDir;
    }
    // Command lines are expensive to read on Windows. There PostgreSQL itself checks before it starts in the folder of another server.
    if (process.platform === 'win32') return true;
    return ps(pid, 'command').includes(`postgres -D ${dataDir} `);
  } catch {
    return false; // it ended meanwhile, or is another user's and so not ours
  }
}

/** Whether a process is frozen (SIGSTOP): it runs, and does nothing until SIGCONT. One under a debugger is not. */
export function isFrozen(pid: number): boolean {
  try {
    if (process.platform === 'win32') return false;
    if (process.platform === 'linux') return statOnLinux(pid)?.[0] === 'T';
    return ps(pid, 'stat').startsWith('T');
  } catch {
    return false; // it has ended
  }
}

/** The identities of a process's running children. Empty on systems where they are expensive to find. */
export function childrenOf(pid: number): string[] {
  if (process.platform !== 'linux') return [];
  try {
    const pids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return pids.map((child) => identify(Number(child))).filter((identity) => identity !== null);
  } catch {
    return []; // it has ended, or the kernel was built without
  }
}

/** The processes whose command line, as they show it themselves, begins so. */
export function findByTitle(title: string): number[] {
  if (process.platform === 'win32') return [];
  if (process.platform !== 'linux') {
    const lines = execFileSync('ps', ['-axwwo', 'pid=,command='], { encoding: 'utf8', env: PS_ENV }).split('\n');
    const found = lines
      .map((line) => /^ *(\d+) (.*)$/.exec(line))
      .filter((line) => line?.[2]?.startsWith(title) === true);
    return found.map((line) => Number(line?.[1]));
  }
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(title);
    } catch {
      return false; // it has ended
    }
  });
}

function startOnLinux(pid: number): string | null {
  const fields = statOnLinux(pid);
  const [state, startTicks] = [fields?.[0], fields?.[19]];
  if (startTicks === undefined || state === 'Z' || state === 'X') return null;
  // Ticks since boot: after a reboot the same pid could well start at the same tick.
  return `${startTicks} ${bootId()}`;
}

function statOnLinux(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // "pid (name, with anything in it) state …": the fields are counted from behind the name.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '-';
  }
}

function startElsewhere(pid: number): string | null {
  try {
    if (process.platform === 'win32') {
      process.kill(pid, 0);
      return '-';
    }
    const [state = '', ...started] = ps(pid, 'stat', 'lstart').split(/\s+/);
    return state.startsWith('Z') ? null : started.join(' ');
  } catch {
    return null;
  }
}

function ps(pid: number, ...columns: string[]): string {
  const wanted = columns.flatMap((column) => ['-o', `${column}=`]);
  const args = ['-ww', ...wanted, '-p', String(pid)];
  return execFileSync('ps', args, { encoding: 'utf8', env: PS_ENV, stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
