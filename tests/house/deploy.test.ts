import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { loadConfig } from '../../src/config/config.ts';
import { envNames } from '../../src/config/env.ts';
import { createTestShop, type TestShop } from '../support/shop.ts';

// No cluster and no Grafana run here: these are the mistakes in deploy/ that reading and a running shop find.

const root = join(import.meta.dirname, '..', '..');
const deploy = join(root, 'deploy');

interface Container {
  image: string;
  command: string[];
  env?: { name: string; value: string }[];
  envFrom: { configMapRef?: { name: string }; secretRef?: { name: string } }[];
  ports?: { name: string; containerPort: number }[];
  livenessProbe?: { httpGet: { path: string; port: string } };
  readinessProbe?: { httpGet: { path: string; port: string } };
}

interface Manifest {
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  stringData?: Record<string, string>;
  spec?: {
    selector?: Record<string, string> & { matchLabels?: Record<string, string> };
    ports?: { targetPort: string }[];
    template?: {
      metadata: { labels: Record<string, string> };
      spec: { containers: Container[]; terminationGracePeriodSeconds?: number };
    };
  };
}

let api: TestShop;
let worker: TestShop;
beforeAll(async () => {
  api = await createTestShop({ env: { ROLES: 'api' } });
  worker = await createTestShop({ env: { ROLES: 'worker' } });
});
afterAll(async () => {
  await worker.dispose();
  await api.dispose();
});

describe('deploy/grafana', () => {
  const text = readFileSync(join(deploy, 'grafana/vitrine.json'), 'utf8');
  const dashboard = JSON.parse(text) as { panels: { title: string; targets?: { expr: string }[] }[] };
  const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

  test('asks only for metrics and labels that the shop has', async () => {
    const served = (
      await Promise.all([api, worker].map(({ url }) => fetch(`${url}/metrics`).then((r) => r.text())))
    ).join('\n');
    const declared = new Set(
      [...served.matchAll(/^# TYPE (\w+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
      ),
    );
    const asked = expressions.flatMap((expression) => expression.match(/vitrine_\w+/g) ?? []);
    expect(asked.length).toBeGreaterThan(30);
    expect(asked.filter((name) => !declared.has(name))).toEqual([]);

    // Prometheus adds `job` and `instance`, and calls our own `job` `exported_job`.
    const source =
      readFileSync(join(root, 'src/infra/metrics.ts'), 'utf8') +
      readFileSync(join(root, 'src/infra/shop-gauges.ts'), 'utf8');
    const labels = [...source.matchAll(/\['(\w+)'(?:, '(\w+)')?(?:, '(\w+)')?\]/g)].flatMap((found) => found.slice(1));
    const known = new Set([...labels, 'job', 'exported_job', 'instance', 'le']);
    const used = expressions.flatMap((expression) =>
      [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', ')),
    );
    expect(used.length).toBeGreaterThan(10);
    expect(used.filter((label) => !known.has(label))).toEqual([]);
  });
});

describe('deploy/kubernetes', () => {
  const folder = join(deploy, 'kubernetes');
  const files = readdirSync(folder).filter((name) => name !== 'kustomization.yaml');
  const manifests = files.flatMap((name) =>
    parseAllDocuments(readFileSync(join(folder, name), 'utf8')).map((document) => {
      if (document.errors.length > 0) throw new Error(`${name}: ${document.errors.join(', ')}`);
      return document.toJS() as Manifest;
    }),
  );
  const of = (kind: string, name = 'vitrine') =>
    manifests.find((manifest) => manifest.kind === kind && manifest.metadata.name === name);
  const shared = { ...of('ConfigMap')?.data, ...of('Secret')?.stringData };
  const pods = manifests.flatMap(({ metadata, spec }) =>
    spec?.template === undefined ? [] : [[metadata.name, spec.template] as const],
  );

  test('kustomization.yaml lists every file', () => {
    const { resources } = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8')) as { resources: string[] };
    expect(resources.toSorted()).toEqual(files.toSorted());
    expect(pods.map(([name]) => name).toSorted()).toEqual(['vitrine-api', 'vitrine-migrate', 'vitrine-worker']);
  });

  test.each(pods)('%s has settings that the shop knows, and can start with', (_, { spec }) => {
    for (const { command, env = [], envFrom, image } of spec.containers) {
      expect(envFrom).toEqual([{ configMapRef: { name: 'vitrine' } }, { secretRef: { name: 'vitrine' } }]);
      const settings = { ...shared, ...Object.fromEntries(env.map(({ name, value }) => [name, value])) };
      expect(Object.keys(settings).filter((name) => !envNames.includes(name))).toEqual([]);
      // As the image has it.
      const config = loadConfig({ NODE_ENV: 'production', HOST: '0.0.0.0', DATA_DIR: '/nowhere', ...settings });
      expect(config).toMatchObject({ production: true, database: { kind: 'url' }, http: { trustedProxies: 1 } });
      expect(image).toBe('vitrine');
      expect(command.slice(0, 2)).toEqual(['node', 'src/config/start.mjs']);
      expect(existsSync(join(root, command[2] ?? ''))).toBe(true);
    }
  });

  test('the probes ask for pages that answer', async () => {
    for (const [name, shop] of [
      ['vitrine-api', api],
      ['vitrine-worker', worker],
    ] as const) {
      const [container] = of('Deployment', name)?.spec?.template?.spec.containers ?? [];
      const { livenessProbe, readinessProbe, ports } = container ?? {};
      const port = ports?.find((open) => open.name === 'http')?.containerPort;
      expect(port, name).toBe(loadConfig({ JWT_SECRET: 'x'.repeat(32) }).http.port);
      for (const probe of [livenessProbe, readinessProbe]) {
        expect(probe?.httpGet.port).toBe('http');
        expect((await fetch(`${shop.url}${probe?.httpGet.path}`)).status, name).toBe(200);
      }
    }
  });

  test('a pod that is stopped has time to drain and to finish', () => {
    const { spec } = of('Deployment', 'vitrine-api')?.spec?.template ?? {};
    const drain = Number(spec?.containers[0]?.env?.find(({ name }) => name === 'DRAIN_SECONDS')?.value);
    // Longer than the readiness probe takes to notice.
    expect(drain).toBeGreaterThanOrEqual(5);
    // Requests in progress have seven seconds, and then everything is closed.
    expect(spec?.terminationGracePeriodSeconds).toBeGreaterThanOrEqual(drain + 15);
  });

  test('services and disruption budgets select the pods of a deployment', () => {
    const labels = of('Deployment', 'vitrine-api')?.spec?.template?.metadata.labels;
    expect(of('Service', 'vitrine-api')?.spec?.selector).toEqual(labels);
    expect(of('PodDisruptionBudget', 'vitrine-api')?.spec?.selector?.matchLabels).toEqual(labels);
  });
});
