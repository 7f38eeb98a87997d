import { leave, run } from './commands/run.ts';

const USAGE = `Usage: npm start

Starts the shop: API and workers, or those that ROLES names. PORT and all other settings are environment variables, described in
docs/settings.md.`;

leave(await run(USAGE));
