// Makes a production install in a temporary folder, measures it, and starts a shop in it: nothing that the installation removes may
// be missed. Exit code 1 where it is larger than it may be, or does not start. Takes minutes, so it is a job of the
// GitHub workflow and no test.

import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, lstatSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** On disk, in MB: each file takes whole blocks of 4 kB. */
const MOST = 250;
const PORT = '4517';
const root = join(import.meta.dirname, '..');
const say = (line) => process.stdout.write(`${line}\n`);

/** How many MB a folder takes on disk. */
function megabytes(folder) {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const { size } = lstatSync(join(entry.parentPath, entry.name));
    bytes += Math.ceil(size / 4096) * 4096;
  }
  return bytes / 1024 ** 2;
}

/** A folder with these files of the project, and what npm makes of them. */
function install(files, ...commands) {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-production-'));
  // PostgreSQL does not run as root, and its user has to reach the folder.
  chmodSync(folder, 0o755);
  for (const file of files) cpSync(join(root, file), join(folder, file), { recursive: true });
  rmSync(join(folder, 'src/generated'), { recursive: true, force: true });
  for (const args of commands) {
    const quiet = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
    execFileSync('npm', [...args, ...quiet], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  }
  return folder;
}

function measure(name, folder) {
  const size = megabytes(join(folder, 'node_modules'));
  say(`${name}: ${size.toFixed(0)} MB (at most ${MOST})`);
  if (size > MOST) process.exitCode = 1;
}

/** Starts the shop in the folder, and asks for what needs the client of the database and GraphiQL. */
async function tryOut(folder) {
  const settings = [`PORT=${PORT}`, 'LOG_LEVEL=warn', `DATA_DIR=${join(folder, 'data')}`];
  const command = ['node', 'src/config/start.mjs', 'src/server.ts'];
  const shop = spawn('env', ['-u', 'NODE_ENV', '-u', 'NODE_OPTIONS', '-u', 'DATABASE_URL', ...settings, ...command], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const ended = new Promise((resolve) => shop.once('exit', resolve));
  const url = `http://localhost:${PORT}`;
  try {
    await untilReady(shop, `${url}/health/ready`);
    const query = '{ products(first: 1) { nodes { title variants { available } } } }';
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query }) });
    const { data } = await answer.json();
    const page = await pageAt(`${url}/graphql`);
    if (!(data?.products?.nodes?.[0]?.title && page.includes('GraphiQL'))) throw new Error('the answers are not right');
    say('It starts, and answers.');
  } finally {
    shop.kill('SIGTERM');
    await ended;
  }
}

/** A page, as a browser that is led there asks for it: what `fetch` sends says that a script asks. */
function pageAt(url) {
  return new Promise((resolve, reject) => {
    get(url, { headers: { accept: 'text/html' } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => (text += part));
      response.on('end', () => resolve(text)).on('error', reject);
    }).on('error', reject);
  });
}

async function untilReady(shop, url) {
  for (let tries = 0; tries < 600 && shop.exitCode === null; tries += 1) {
    const { ok } = await fetch(url).catch(() => ({ ok: false }));
    if (ok) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error('the shop did not start');
}

const packages = ['package.json', 'package-lock.json', 'scripts'];
const folders = [];
try {
  folders.push(install(packages, ['ci', '--omit=dev']));
  measure('npm ci --omit=dev', folders[0]);
  const sources = ['prisma', 'prisma.config.ts', 'tsconfig.json', 'src', 'assets', 'examples'];
  folders.push(install([...packages, ...sources], ['ci'], ['prune', '--omit=dev']));
  measure('npm ci && npm prune --omit=dev', folders[1]);
  await tryOut(folders[1]);
} finally {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}
