import { runCommand } from './command.ts';
import { runTortureFaults } from './torture-faults/main.ts';

// `npm run torture:faults` kills, freezes and cuts off the parts of a shop under load. See README.md.

await runCommand(runTortureFaults, ['SIGINT', 'SIGTERM']);
