import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';

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
  'src/graphql/schema.ts': ['src/graphql/schema/builder.ts', 'src/modules/inventory/inventory.types.ts', 'graphql'],
  'src/graphql/schema/builder.ts': ['src/config/config.ts', 'src/generated/client.ts', '@pothos/core'],
  'src/graphql/limits/throttle.ts': ['src/infra/logger.ts'],
  'src/graphql/context/context.ts': ['src/graphql/limits/throttle.ts'],
  'src/graphql/schema/node.ts': ['src/graphql/context/context.ts', 'src/graphql/limits/throttle.ts'],
  'src/graphql/live/subscribe.ts': ['src/graphql/schema/node.ts', 'src/graphql/context/context.ts'],
  'src/graphql/operations/yoga.ts': ['src/graphql/live/subscribe.ts', 'src/graphql/schema/node.ts', 'graphql-yoga'],
  'src/graphql/server.ts': ['src/graphql/operations/yoga.ts', 'src/graphql/live/subscribe.ts'],
  'src/jobs/queues.ts': ['src/jobs/define-job.ts', 'src/modules/cart/cart.service.ts', 'bullmq'],
  'src/jobs/define-job.ts': ['src/infra/logger.ts'],
  'src/modules/cart/cart.graphql.ts': [
    'src/graphql/schema/builder.ts',
    'src/modules/cart/cart.service.ts',
    'src/modules/inventory/inventory.errors.ts',
    'src/modules/accounts/accounts.viewer.graphql.ts',
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

const RESTRICTED = 'eslint(no-restricted-imports)';
const ENVIRONMENT = [
  'declare const process: { env: Record<string, string> };',
  'export const { env } = process;',
  "export const port = process.env['PORT'];",
  '',
].join('\n');

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
  'src/http/x.ts': [...entries, builder, jobs, web, ...inside, 'node:process'],
  'src/web/shop/x.ts': [...entries, http, builder, jobs, service, events, infra, 'src/config/config.ts', 'node:fs'],
  'src/web/shared/x.ts': [...entries, ...apps, http, builder, jobs, service, events, infra],
  'src/graphql/x.ts': [...entries, http, jobs, ...inside, 'node:process'],
  'src/graphql/limits/x.ts': [...entries, http, jobs, ...graphqlRoomsAbove(0)],
  'src/graphql/context/x.ts': [...entries, http, jobs, ...graphqlRoomsAbove(1)],
  'src/graphql/schema/x.ts': [...entries, http, jobs, ...graphqlRoomsAbove(2)],
  'src/graphql/live/x.ts': [...entries, http, jobs, ...inside, ...graphqlRoomsAbove(3)],
  'src/graphql/operations/x.ts': [...entries, http, jobs, 'src/graphql/server.ts', 'src/graphql/schema.ts'],
  'src/jobs/x.ts': [...entries, http, builder, ...inside, 'node:process'],
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

interface Found {
  status: number | null;
  /** `file rule` for each diagnostic. */
  diagnostics: string[];
}

/** Lints a copy of the fair house with `files` added or replaced. */
async function lint(files: Record<string, string>): Promise<Found> {
  const folder = mkdtempSync(join(tmpdir(), 'vitrine-lint-'));
  try {
    const sound = Object.fromEntries(Object.entries(fair).map(([file, targets]) => [file, source(file, targets)]));
    // The copy has no node_modules, and so neither Node's types nor the type-aware half of oxlint of its own.
    const tsconfig = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { types: [] },
      include: ['src', 'tests'],
    };
    const settings = { 'tsconfig.json': JSON.stringify(tsconfig), '.oxlintrc.json': config };
    for (const [file, content] of Object.entries({ ...sound, ...settings, ...files })) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), content);
    }
    const run = spawn(process.execPath, [join(root, 'node_modules/oxlint/bin/oxlint'), '--format=json'], {
      cwd: folder,
      env: { ...process.env, OXLINT_TSGOLINT_PATH: join(root, 'node_modules/.bin/tsgolint') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [output, errors, [status]] = await Promise.all([text(run.stdout), text(run.stderr), once(run, 'close')]);
    if (!output.startsWith('{')) throw new Error(`oxlint did not run: ${output}${errors}`);
    const report = JSON.parse(output) as { diagnostics: { filename: string; code: string }[] };
    const diagnostics = report.diagnostics.map(({ filename, code }) => `${filename} ${code}`).toSorted();
    return { status: status as number | null, diagnostics };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file with a fault that is not one of direction between two rooms, and the rules that it breaks. */
const faulty: Record<string, { files: Record<string, string>; broken: string[] }> = {
  're-exports, types and imports at run time count alike': {
    files: {
      'src/infra/one.ts': "export { used } from '../events/relay.ts';\n",
      'src/infra/three.ts': "export const later = () => import('../events/relay.ts');\n",
      'src/infra/two.ts': "import type { used } from '../events/relay.ts';\n\nexport type Used = typeof used;\n",
    },
    broken: ['one', 'three', 'two'].map((name) => `src/infra/${name}.ts ${RESTRICTED}`),
  },
  'a cycle is reported, also one of types alone': {
    files: {
      'src/events/a.ts': "import { b } from './b.ts';\n\nexport const a = (): unknown => b;\n",
      'src/events/b.ts': "import { a } from './a.ts';\n\nexport const b = (): unknown => a;\n",
      'src/infra/c.ts': "import type { D } from './d.ts';\n\nexport type C = D[];\n",
      'src/infra/d.ts': "import type { C } from './c.ts';\n\nexport type D = { c: C };\n",
    },
    broken: ['events/a', 'events/b', 'infra/c', 'infra/d'].map((name) => `src/${name}.ts import(no-cycle)`),
  },
  'process.env is refused outside src/config, tests and bench': {
    files: Object.fromEntries(
      ['src/http/env.ts', 'src/config/env.ts', 'tests/support/env.ts', 'bench/env.ts', 'some.config.ts'].map((file) => [
        file,
        ENVIRONMENT,
      ]),
    ),
    broken: ['src/http/env.ts', 'src/http/env.ts'].map((file) => `${file} eslint(no-restricted-properties)`),
  },
  'a promise that nobody awaits is reported, which takes knowledge of types': {
    files: { 'src/infra/work.ts': 'export async function work(): Promise<number> {\n  return 1;\n}\nwork();\n' },
    broken: ['src/infra/work.ts typescript(no-floating-promises)'],
  },
};

describe('import directions', () => {
  // Each run of oxlint costs seconds, and a file is judged by itself: all faults stand in one house. Only app.ts, which has a
  // part in the house in order, has a house of its own.
  const kinds = Object.keys(refused);
  const apart = 'src/app.ts';
  let found: Found;

  beforeAll(async () => {
    const probes = [
      ...kinds.filter((kind) => kind !== apart).map((kind) => offenders(kind)),
      ...Object.values(faulty).map(({ files }) => files),
    ];
    const files = Object.assign({}, ...probes) as Record<string, string>;
    const count = probes.reduce((sum, each) => sum + Object.keys(each).length, 0);
    if (Object.keys(files).length !== count) throw new Error('Two probes have the same name.');
    found = await lint(files);
  });

  const foundIn = (files: Record<string, string>) =>
    found.diagnostics.filter((line) => Object.hasOwn(files, line.slice(0, line.indexOf(' '))));

  it('names all modules, each time that it lists them', () => {
    const folders = readdirSync(join(root, 'src/modules'), { withFileTypes: true });
    const modules = folders.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    const lists = [...config.matchAll(/\.\.\/\*\*\/\{([^}]*)\}/g)].map(([, list = '']) => list.split(','));
    expect(lists.length).toBeGreaterThan(0);
    for (const list of lists) expect(list).toEqual(modules.toSorted());
  });

  it('lets a house in order pass', async () => {
    expect(await lint({})).toEqual({ status: 0, diagnostics: [] });
  });

  it.each(kinds.filter((kind) => kind !== apart))('%s: each import against the direction is reported', (kind) => {
    const files = offenders(kind);
    expect(foundIn(files)).toEqual(
      Object.keys(files)
        .map((file) => `${file} ${RESTRICTED}`)
        .toSorted(),
    );
  });

  it(`${apart}: each import against the direction is reported, and nothing else`, async () => {
    // What app.ts imports here must not import app.ts in turn: that would be a cycle to report as well.
    const entriesAlone = Object.fromEntries(entries.slice(2).map((file) => [file, source(file, [])]));
    expect(await lint({ ...entriesAlone, ...offenders(apart) })).toEqual({
      status: 1,
      diagnostics: (refused[apart] ?? []).map(() => `${apart} ${RESTRICTED}`),
    });
  });

  it.each(Object.entries(faulty))('%s', (_what, { files, broken }) => {
    expect(foundIn(files)).toEqual(broken);
  });

  it('reports nothing else', () => {
    const expected = kinds.filter((kind) => kind !== apart).flatMap((kind) => Object.keys(offenders(kind)));
    const broken = Object.values(faulty).flatMap((each) => each.broken);
    expect(found).toEqual({
      status: 1,
      diagnostics: [...expected.map((file) => `${file} ${RESTRICTED}`), ...broken].toSorted(),
    });
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
      files.filter(
        (name) => !['api.ts', 'app.ts', 'background.ts', 'seed.ts', 'server.ts', 'worker.ts'].includes(name),
      ),
    ).toEqual([]);
  });
});
