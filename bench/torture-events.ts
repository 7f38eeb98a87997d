import { runCommand } from './command.ts';
import { runTortureEvents } from './torture-events/main.ts';

// `npm run torture:events` drops subscribers at random places and looks whether any of them missed an event. See README.md.

await runCommand(runTortureEvents);
