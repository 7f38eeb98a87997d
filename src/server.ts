import { leave, run } from './commands/run.ts';

// API and workers, or what ROLES says.
leave(await run());
