// `npm run dev`: the shop, started again when its sources change, and beside it Vite, which serves the pages of the web apps and
// replaces in an open page what was changed.

import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const run = (file, ...args) =>
  spawn(process.execPath, [join(root, 'node_modules', file), ...args], { cwd: root, stdio: 'inherit' });

const children = [
  run('tsx/dist/cli.mjs', 'watch', '--exclude', 'src/web/**', 'src/server.ts'),
  run('vite/bin/vite.js', '--config', 'src/web/vite.config.ts', '--clearScreen', 'false'),
];

// One without the other is of no use. Ctrl-C reaches both by itself.
for (const child of children) {
  child.once('exit', (status) => {
    process.exitCode ??= status ?? 1;
    for (const other of children) other.kill('SIGTERM');
  });
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => children.forEach((child) => child.kill(signal)));
