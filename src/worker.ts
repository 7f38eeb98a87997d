import { leave, run } from './commands/run.ts';

const USAGE = `Usage: npm run worker

Starts workers, without the API, whatever ROLES says. They too serve /health on PORT. All settings are environment variables, described
in docs/settings.md.`;

leave(await run(USAGE, ['worker']));
