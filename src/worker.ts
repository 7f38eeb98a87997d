import { run } from './run.ts';

// Workers alone, whatever ROLES says; they too serve /health.
process.exit(await run(['worker']));
