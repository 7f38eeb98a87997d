import { defineConfig } from 'prisma/config';

// `generate` never runs the schema engine, but the CLI wants one and would download it; any executable will do.
if (process.argv.includes('generate')) process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
});
