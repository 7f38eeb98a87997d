import { leave, run } from './commands/run.ts';

// Workers alone, whatever ROLES says; they too serve /health.
leave(await run(['worker']));
