import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import {
  bindMigrationAwareSqlAdapterFactory,
  type SqlMigrationAwareDriverAdapterFactory,
} from '@prisma/driver-adapter-utils';
import type * as Engine from '@prisma/schema-engine-wasm/schema_engine_bg';

// TypeScript knows it of browsers only.
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: Record<string, object>): Promise<{ instance: { exports: unknown } }>;
};

/** All tables and enums are Prisma's to look at. */
export const NO_FILTERS = { externalTables: [], externalEnums: [] };

/**
 * Prisma's schema engine, the one behind `prisma migrate`, on a database adapter. The caller frees it.
 * @param warn is given what the engine warns of
 */
export async function openSchemaEngine(
  adapter: SqlMigrationAwareDriverAdapterFactory,
  warn: (message: string) => void,
): Promise<Engine.SchemaEngine> {
  loading ??= load();
  const { SchemaEngine } = await loading;
  const log = (line: string) => {
    const { level, fields } = JSON.parse(line) as { level: string; fields: { message?: string } };
    if (level === 'WARN' || level === 'ERROR') warn(fields.message ?? line);
  };
  return SchemaEngine.new({ datamodels: undefined }, log, bindMigrationAwareSqlAdapterFactory(adapter));
}

let loading: Promise<typeof Engine> | undefined;

/** Five megabytes of WebAssembly: loaded only where there is something to do, and once. */
async function load(): Promise<typeof Engine> {
  // Where the engine leaves the message of a panic; the error that follows it has a stack of it too.
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: () => undefined } });
  // The package's own entry imports the .wasm as a module, which Node cannot do without a flag.
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const path = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
  const bytes = await readFile(path.replace(/\.js$/, '.wasm'));
  // The engine never clears the 10 s within which it wants its lock: a process that has migrated must not stay for it.
  const imports = Object.entries(glue).map(([name, imported]) => [
    name,
    name.startsWith('__wbg_setTimeout_') ? (work: () => void, ms: number) => setTimeout(work, ms).unref() : imported,
  ]);
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': Object.fromEntries(imports) });
  (glue as unknown as { __wbg_set_wasm(exports: unknown): void }).__wbg_set_wasm(instance.exports);
  (instance.exports as { __wbindgen_start(): void }).__wbindgen_start();
  return glue;
}
