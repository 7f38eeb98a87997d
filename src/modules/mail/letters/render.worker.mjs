// Starts render.worker.ts in its thread. Node 20 does not pass the hooks that compile TypeScript on to threads.
import { register } from 'tsx/esm/api';

register();
await import('./render.worker.ts');
