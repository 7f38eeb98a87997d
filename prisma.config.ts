// `generate` never runs the schema engine, but the CLI wants one and would download it; any executable will do.
if (process.argv.includes('generate')) process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

// `defineConfig` of `prisma/config` would only type this: the CLI is installed under another name (see docs/decisions).
export default {
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
};
