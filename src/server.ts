import { run } from './run.ts';

// API and workers, or what ROLES says.
process.exit(await run());
