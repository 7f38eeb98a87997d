import { runCommand } from './command.ts';
import { runTorture } from './torture/main.ts';

// `npm run torture` lets a crowd loose on a running shop and then looks whether a unit was sold twice. See README.md.

await runCommand(runTorture);
