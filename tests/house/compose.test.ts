import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { envNames } from '../../src/config/env.ts';

// No container is built here: these are the mistakes in docker-compose.yml and the Dockerfile that reading finds.

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

interface Service {
  image: string;
  build?: string;
  command?: string[];
  environment?: Record<string, string>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  restart?: string;
  stop_grace_period?: string;
  volumes?: string[];
}

const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
};
const services = Object.entries(compose.services);
const nodes = services.filter(([, { build }]) => build !== undefined);
const bought = services.filter(([, { build }]) => build === undefined);

/** The Dockerfile as instructions, continued lines joined. */
const dockerfile = read('Dockerfile')
  .split('\n')
  .filter((line) => !line.startsWith('#'))
  .join('\n')
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line.trim() !== '')
  .map((line) => ({ name: line.slice(0, line.indexOf(' ')), rest: line.slice(line.indexOf(' ') + 1).trim() }));
const last = dockerfile.findLastIndex(({ name }) => name === 'FROM');
const final = dockerfile.slice(last);
const only = (name: string) => final.filter((instruction) => instruction.name === name).map(({ rest }) => rest);

/** The file that a command hands to node. */
const started = (command: readonly string[]) => command.find((word) => word.endsWith('.ts')) ?? '';

describe('docker-compose.yml', () => {
  it('has the shop and what it needs', () => {
    expect(Object.keys(compose.services).toSorted()).toEqual(['api', 'mailpit', 'postgres', 'redis', 'worker']);
    expect(nodes.map(([name]) => name)).toEqual(['api', 'worker']);
  });

  it.each(nodes)('%s is given only variables that the shop reads', (_, { environment = {} }) => {
    expect(Object.keys(environment).filter((name) => !envNames.includes(name))).toEqual([]);
  });

  it.each(nodes)(
    '%s runs many to one: every service named by URL, secrets from outside',
    (name, { environment = {} }) => {
      const { DATABASE_URL, JWT_SECRET, PUBLIC_URL, REDIS_URL, ROLES, SMTP_URL } = environment;
      expect(ROLES).toBe(name);
      expect(PUBLIC_URL).toBe('http://localhost:4000');
      expect(REDIS_URL).toBe('redis://redis:6379');
      expect(SMTP_URL).toBe('smtp://mailpit:1025');
      expect(DATABASE_URL).toMatch(/^postgresql:\/\/vitrine:\$\{POSTGRES_PASSWORD:\?[^}]+\}@postgres:5432\/vitrine$/);
      expect(JWT_SECRET).toMatch(/^\$\{JWT_SECRET:\?[^}]+\}$/);
    },
  );

  it('asks for exactly what .env.example offers, and makes a first ADMIN', () => {
    const asked = read('docker-compose.yml').matchAll(/\$\{(\w+):\?/g);
    const offered = read('.env.example').matchAll(/^(\w+)=$/gm);
    const names = (found: Iterable<RegExpMatchArray>) =>
      [...new Set([...found].map(([, name]) => String(name)))].toSorted();
    expect(names(asked)).toEqual(['ADMIN_EMAIL', 'ADMIN_PASSWORD', 'JWT_SECRET', 'POSTGRES_PASSWORD']);
    expect(names(offered)).toEqual(['ADMIN_EMAIL', 'ADMIN_PASSWORD', 'JWT_SECRET', 'POSTGRES_PASSWORD']);
    expect(Object.keys(compose.services.api?.environment ?? {})).toEqual(
      expect.arrayContaining(['ADMIN_EMAIL', 'ADMIN_PASSWORD']),
    );
  });

  it.each(nodes)('%s runs a file that exists, as the process that gets the signals', (_, { command = [] }) => {
    expect(command[0]).toBe('node');
    expect(started(command)).toMatch(/^src\/(server|worker)\.ts$/);
    expect(existsSync(join(root, started(command)))).toBe(true);
  });

  it.each(nodes)('%s waits for healthy services, and is given time to finish', (_, service) => {
    const { depends_on: needs = {}, restart, stop_grace_period: grace } = service;
    expect(Object.keys(needs).toSorted()).toEqual(['postgres', 'redis']);
    for (const [name, { condition }] of Object.entries(needs)) {
      expect(condition).toBe('service_healthy');
      expect(compose.services[name]?.healthcheck?.test.length, name).toBeGreaterThan(0);
    }
    expect(grace).toBe('20s');
    expect(restart).toBe('unless-stopped');
  });

  it.each(bought)('%s is pinned to a major version and has a health check', (_, { image, healthcheck }) => {
    expect(image).toMatch(/^[a-z/]+:v?\d+(\.\d+)*$/);
    expect(healthcheck?.test[0]).toBe('CMD');
  });

  it('defines every volume that is mounted, and mounts every one that is defined', () => {
    const mounted = services.flatMap(([, { volumes = [] }]) => volumes.map((volume) => volume.replace(/:.*/, '')));
    expect(mounted.toSorted()).toEqual(Object.keys(compose.volumes).toSorted());
    // The image of PostgreSQL 18 keeps its data in 18/docker below this folder.
    expect(compose.services['postgres']?.volumes).toEqual(['postgres:/var/lib/postgresql']);
  });
});

describe('Dockerfile', () => {
  it('builds on the Node of .nvmrc and of the workflow, in two stages', () => {
    const from = dockerfile.filter(({ name }) => name === 'FROM').map(({ rest }) => rest);
    expect(from).toEqual(['node:24-bookworm-slim AS build', 'node:24-bookworm-slim']);
    expect(read('.nvmrc').trim()).toBe('24');
    const { jobs } = parse(read('.github/workflows/ci.yml')) as {
      jobs: Record<string, { container: string; strategy?: { matrix: { node: number[] } } }>;
    };
    // From the oldest that `engines` allows to the one of the image.
    expect(jobs['check-and-test']?.strategy?.matrix.node).toEqual([20, 22, 24]);
    expect(jobs['check-and-test']?.container).toMatch(/^node:\$\{\{ matrix\.node \}\}-bookworm$/);
    expect(jobs['production-install']?.container).toBe('node:24-bookworm');
    expect((JSON.parse(read('package.json')) as { engines: { node: string } }).engines.node).toBe('>=20.19');
  });

  it('copies only what exists, and what .dockerignore lets through', () => {
    const copies = dockerfile.filter(({ name }) => name === 'COPY').map(({ rest }) => rest.split(/\s+/));
    const sources = copies.flatMap(([first = '', ...words]) =>
      first.startsWith('--from=') ? [] : [first, ...words].slice(0, -1),
    );
    expect(sources.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    const letThrough = read('.dockerignore').split('\n');
    expect(sources.filter((path) => !letThrough.includes(`!${path}`))).toEqual([]);
    const built = copies.flatMap(([first = '', path = '']) => (first === '--from=build' ? [path] : []));
    expect(built).toEqual(['/app/node_modules', '/app/src', '/app/dist']);
  });

  it('runs as a user without rights, in production, open to the outside', () => {
    expect(only('USER')).toEqual(['node']);
    expect(only('ENV')).toEqual(['NODE_ENV=production HOST=0.0.0.0 DATA_DIR=/data']);
    expect(only('EXPOSE')).toEqual(['4000']);
    expect(only('RUN')).toEqual(['mkdir /data && chown node:node /data']);
  });

  it.each([
    [200, 0],
    [503, 1],
  ])('has a health check that makes of %i the exit status %i', async (answer, status) => {
    const paths: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      paths.push(request.url);
      response.writeHead(answer).end();
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const [file = '', ...args] = JSON.parse(only('HEALTHCHECK')[0]?.replace(/^.*?CMD /, '') ?? '[]') as string[];
    // No Node process every five seconds.
    expect(file).toMatch(/\.sh$/);
    const child = spawn(join(root, file), args, { env: { ...process.env, PORT: String(port) }, stdio: 'ignore' });
    expect(await once(child, 'exit')).toEqual([status, null]);
    expect(paths).toEqual(['/health/live']);
  });

  it('starts node itself on a file that exists', () => {
    expect(only('STOPSIGNAL')).toEqual(['SIGTERM']);
    const command = JSON.parse(only('CMD')[0] ?? '[]') as string[];
    expect(command[0]).toBe('node');
    expect(existsSync(join(root, started(command)))).toBe(true);
  });
});
