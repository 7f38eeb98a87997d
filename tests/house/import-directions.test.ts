import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

// The directions of DESIGN.md are patterns in .oxlintrc.json. A pattern that matches nothing is silent, so each of
// them is shown here to refuse what it is there for, and to let pass what is right, on a small house in a temp folder.

const root = join(import.meta.dirname, '..', '..');
const config = readFileSync(join(root, '.oxlintrc.json'), 'utf8');

/** A house in order: each file with everything that its room may import. */
const fair: Record<string, string[]> = {
  'src/server.ts': ['src/app.ts', 'src/config/config.ts', 'src/infra/logger.ts'],
  'src/worker.ts': ['src/app.ts', 'src/config/config.ts'],
  'src/commands/carts-expire.ts': ['src/app.ts', 'src/modules/cart/cart.service.ts', 'src/config/config.ts'],
  'src/background.ts': ['src/http/server.ts', 'src/jobs/queues.ts', 'src/infra/logger.ts'],
  'src/app.ts': [
    'src/background.ts',
    'src/http/server.ts',
    'src/graphql/schema.ts',
    'src/jobs/queues.ts',
    'src/events/relay.ts',
  ],
  'src/http/server.ts': ['src/modules/cart/cart.service.ts', 'src/events/relay.ts', 'src/infra/logger.ts'],
  'src/graphql/schema.ts': ['src/graphql/schema/builder.ts', 'src/modules/cart/cart.graphql.ts', 'graphql'],
  'src/graphql/schema/builder.ts': ['src/config/config.ts', 'src/generated/client.ts', '@pothos/core'],
  'src/graphql/limits/throttle.ts': ['src/infra/logger.ts'],
  'src/graphql/context/context.ts': ['src/graphql/limits/throttle.ts'],
  'src/graphql/schema/node.ts': ['src/graphql/context/context.ts', 'src/graphql/limits/throttle.ts'],
  'src/graphql/live/subscribe.ts': ['src/graphql/schema/node.ts', 'src/graphql/context/context.ts'],
  'src/graphql/operations/yoga.ts': ['src/graphql/live/subscribe.ts', 'src/graphql/schema/node.ts', 'graphql-yoga'],
  'src/graphql/server.ts': ['src/graphql/operations/yoga.ts', 'src/graphql/live/subscribe.ts'],
  'src/jobs/queues.ts': ['src/jobs/define-job.ts', 'src/modules/cart/cart.jobs.ts', 'bullmq'],
  'src/jobs/define-job.ts': ['src/infra/logger.ts'],
  'src/modules/cart/cart.graphql.ts': [
    'src/graphql/schema/builder.ts',
    'src/modules/cart/cart.service.ts',
    'src/modules/inventory/inventory.errors.ts',
    'graphql',
  ],
  'src/modules/cart/cart.jobs.ts': ['src/jobs/define-job.ts', 'src/modules/cart/cart.service.ts'],
  'src/modules/cart/cart.module.ts': [
    'src/jobs/define-job.ts',
    'src/modules/cart/cart.service.ts',
    'src/events/relay.ts',
    'src/infra/logger.ts',
  ],
  'src/modules/cart/cart.service.ts': [
    'src/modules/cart/cart.repository.ts',
    'src/modules/inventory/inventory.service.ts',
    'src/modules/inventory/inventory.errors.ts',
    'src/modules/inventory/inventory.types.ts',
    'src/events/relay.ts',
  ],
  'src/modules/cart/cart.repository.ts': ['src/infra/logger.ts', 'src/generated/client.ts', 'src/config/config.ts'],
  'src/modules/inventory/inventory.service.ts': ['src/modules/inventory/inventory.repository.ts'],
  'src/modules/inventory/inventory.repository.ts': [],
  'src/modules/inventory/inventory.graphql.ts': ['src/graphql/schema/builder.ts'],
  'src/modules/inventory/inventory.errors.ts': [],
  'src/modules/inventory/inventory.types.ts': [],
  'src/modules/inventory/plain.ts': [],
  'src/events/relay.ts': ['src/infra/logger.ts', 'src/config/config.ts', 'src/generated/client.ts'],
  'src/infra/logger.ts': ['src/config/config.ts', 'src/generated/client.ts'],
  'src/config/config.ts': [],
  'src/generated/client.ts': [],
  'src/web/shop/shop.ts': ['src/web/shared/store.ts'],
  'src/web/dashboard/dashboard.ts': ['src/web/shared/store.ts'],
  'src/web/shared/store.ts': [],
  'tests/support/shop.ts': ['src/app.ts', 'src/modules/cart/cart.repository.ts'],
};

const entries = ['src/app.ts', 'src/background.ts', 'src/server.ts', 'src/worker.ts', 'src/commands/carts-expire.ts'];
const http = 'src/http/server.ts';
const builder = 'src/graphql/schema/builder.ts';
const jobs = 'src/jobs/define-job.ts';
const service = 'src/modules/inventory/inventory.service.ts';
const events = 'src/events/relay.ts';
const infra = 'src/infra/logger.ts';
const web = 'src/web/shared/store.ts';
const apps = ['src/web/shop/shop.ts', 'src/web/dashboard/dashboard.ts'];

const graphql = ['graphql', 'graphql/utilities', 'graphql-yoga', '@pothos/core', '@pothos/plugin-relay'];
const inside = ['inventory.repository', 'inventory.graphql', 'plain'].map((name) => `src/modules/inventory/${name}.ts`);
const toTheDomain = [...entries, http, builder, jobs, web, ...graphql, 'bullmq', ...inside, 'node:process'];

/** Files of the rooms of src/graphql above one of them, counted from the lowest, and of the top. */
function graphqlRoomsAbove(below: number): string[] {
  const upward = ['context/context', 'schema/node', 'live/subscribe', 'operations/yoga', 'server', 'schema'];
  return upward.slice(below).map((name) => `src/graphql/${name}.ts`);
}

/** By kind of file: what it must not import. Each pair becomes a file of its own. */
const refused: Record<string, string[]> = {
  'src/app.ts': [...entries.slice(2), 'node:process'],
  'src/commands/x.ts': ['node:process'],
  'src/http/x.ts': [...entries, builder, jobs, web, 'node:process'],
  'src/web/shop/x.ts': [...entries, http, builder, jobs, service, events, infra, 'src/config/config.ts', 'node:fs'],
  'src/web/shared/x.ts': [...entries, ...apps, http, builder, jobs, service, events, infra],
  'src/graphql/x.ts': [...entries, http, jobs, 'node:process'],
  'src/graphql/limits/x.ts': [...entries, http, jobs, ...graphqlRoomsAbove(0)],
  'src/graphql/context/x.ts': [...entries, http, jobs, ...graphqlRoomsAbove(1)],
  'src/graphql/schema/x.ts': [...entries, http, jobs, ...graphqlRoomsAbove(2)],
  'src/graphql/live/x.ts': [...entries, http, jobs, ...graphqlRoomsAbove(3)],
  'src/graphql/operations/x.ts': [...entries, http, jobs, 'src/graphql/server.ts', 'src/graphql/schema.ts'],
  'src/jobs/x.ts': [...entries, http, builder, 'node:process'],
  'src/events/x.ts': [...entries, http, builder, jobs, service, 'node:process'],
  'src/infra/x.ts': [...entries, http, builder, jobs, service, events, 'node:process'],
  'src/infra/deeper/x.ts': [...entries, http, builder, jobs, service, events],
  'src/config/x.ts': [...entries, http, builder, jobs, service, events, infra, 'src/generated/client.ts'],
  'src/config/deeper/x.ts': [infra],
  'src/modules/cart/x.service.ts': toTheDomain,
  'src/modules/cart/x.repository.ts': toTheDomain,
  'src/modules/cart/deeper/x.ts': toTheDomain,
  'src/modules/cart/x.graphql.ts': [
    ...entries,
    http,
    jobs,
    'bullmq',
    ...inside,
    'src/graphql/schema.ts',
    'node:process',
  ],
  'src/modules/cart/x.module.ts': [
    ...entries,
    http,
    builder,
    ...graphql,
    'bullmq',
    service,
    'src/jobs/queues.ts',
    'node:process',
  ],
  'src/modules/cart/x.jobs.ts': [...entries, http, builder, ...graphql, ...inside, 'node:process'],
};

/** A file of that kind for each thing that it must not import; app.ts alone can have no second name. */
function offenders(kind: string): Record<string, string> {
  const targets = refused[kind] ?? [];
  if (kind === 'src/app.ts') return { [kind]: source(kind, targets) };
  const named = targets.map((target, index) => [kind.replace(/\/x\b/, `/x${index}`), target] as const);
  return Object.fromEntries(named.map(([file, target]) => [file, source(file, [target])]));
}

function source(from: string, targets: readonly string[]): string {
  const imports = targets.map((target, index) => `import * as i${index} from '${specifier(from, target)}';\n`);
  return `${imports.join('')}export const used = [${targets.map((_, index) => `i${index}`).join(', ')}];\n`;
}

function specifier(from: string, target: string): string {
  if (!target.startsWith('src/')) return target;
  const path = posix.relative(posix.dirname(from), target);
  return path.startsWith('.') ? path : `./${path}`;
}

/** Lints a copy of the fair house with `files` added or replaced; gives `file rule` for each thing that oxlint finds. */
function lint(files: Record<string, string>): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-lint-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const sound = Object.fromEntries(Object.entries(fair).map(([file, targets]) => [file, source(file, targets)]));
  // The copy has no node_modules, and so neither Node's types nor the type-aware half of oxlint of its own.
  const tsconfig = { extends: join(root, 'tsconfig.json'), compilerOptions: { types: [] }, include: ['src', 'tests'] };
  const settings = { 'tsconfig.json': JSON.stringify(tsconfig), '.oxlintrc.json': config };
  for (const [file, text] of Object.entries({ ...sound, ...settings, ...files })) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  const run = spawnSync(process.execPath, [join(root, 'node_modules/oxlint/bin/oxlint'), '--format=json'], {
    cwd: folder,
    env: { ...process.env, OXLINT_TSGOLINT_PATH: join(root, 'node_modules/.bin/tsgolint') },
    encoding: 'utf8',
  });
  if (!run.stdout.startsWith('{')) throw new Error(`oxlint did not run: ${run.stdout}${run.stderr}`);
  const report = JSON.parse(run.stdout) as { diagnostics: { filename: string; code: string }[] };
  expect(run.status, 'the exit status tells whether anything was found').toBe(report.diagnostics.length === 0 ? 0 : 1);
  return report.diagnostics.map(({ filename, code }) => `${filename} ${code}`).toSorted();
}

describe('import directions', () => {
  const restricted = 'eslint(no-restricted-imports)';

  it('lets a house in order pass', () => {
    expect(lint({})).toEqual([]);
  });

  it.each(Object.keys(refused))('%s: each import against the direction is reported, and nothing else', (kind) => {
    const files = offenders(kind);
    // What app.ts imports here must not import app.ts in turn: that would be a cycle to report as well.
    const entriesAlone =
      kind === 'src/app.ts' ? Object.fromEntries(entries.slice(2).map((file) => [file, source(file, [])])) : {};
    const expected = kind === 'src/app.ts' ? (refused[kind] ?? []).map(() => kind) : Object.keys(files);
    expect(lint({ ...entriesAlone, ...files })).toEqual(expected.map((file) => `${file} ${restricted}`).toSorted());
  });

  it('counts re-exports, types and imports at run time alike', () => {
    const files = {
      'src/infra/one.ts': "export { used } from '../events/relay.ts';\n",
      'src/infra/three.ts': "export const later = () => import('../events/relay.ts');\n",
      'src/infra/two.ts': "import type { used } from '../events/relay.ts';\n\nexport type Used = typeof used;\n",
    };
    expect(lint(files)).toEqual(Object.keys(files).map((file) => `${file} ${restricted}`));
  });

  it('reports a cycle, also one of types alone', () => {
    const files = {
      'src/events/a.ts': "import { b } from './b.ts';\n\nexport const a = (): unknown => b;\n",
      'src/events/b.ts': "import { a } from './a.ts';\n\nexport const b = (): unknown => a;\n",
      'src/infra/c.ts': "import type { D } from './d.ts';\n\nexport type C = D[];\n",
      'src/infra/d.ts': "import type { C } from './c.ts';\n\nexport type D = { c: C };\n",
    };
    expect(lint(files)).toEqual(Object.keys(files).map((file) => `${file} import(no-cycle)`));
  });

  it('knows every room and every module there is', () => {
    const entriesOf = (path: string) => readdirSync(join(root, path), { withFileTypes: true });
    const folders = (path: string) => entriesOf(path).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
    const named = (list: RegExp, separator: string) => list.exec(config)?.[1]?.split(separator) ?? [];
    const rooms = named(/\((commands\|[^)]*generated)\)/, '|');
    expect(folders('src').filter((name) => name !== 'config' && !rooms.includes(name))).toEqual([]);
    const modules = named(/\.\.\/\*\*\/\{([^}]+)\}/, ',');
    expect(folders('src/modules').filter((name) => !modules.includes(name))).toEqual([]);
    const files = entriesOf('src').flatMap((entry) => (entry.isFile() ? [entry.name] : []));
    expect(
      files.filter((name) => !['app.ts', 'background.ts', 'seed.ts', 'server.ts', 'worker.ts'].includes(name)),
    ).toEqual([]);
  });
});

describe('the environment and promises', () => {
  const environment = [
    'declare const process: { env: Record<string, string> };',
    'export const { env } = process;',
    "export const port = process.env['PORT'];",
    '',
  ].join('\n');

  it('refuses process.env outside src/config, tests and bench', () => {
    const files = ['src/http/env.ts', 'src/config/env.ts', 'tests/support/env.ts', 'bench/env.ts', 'some.config.ts'];
    const twice = 'src/http/env.ts eslint(no-restricted-properties)';
    expect(lint(Object.fromEntries(files.map((file) => [file, environment])))).toEqual([twice, twice]);
  });

  it('is aware of types: a promise that nobody awaits is reported', () => {
    const text = 'export async function work(): Promise<number> {\n  return 1;\n}\nwork();\n';
    expect(lint({ 'src/infra/work.ts': text })).toEqual(['src/infra/work.ts typescript(no-floating-promises)']);
  });
});
