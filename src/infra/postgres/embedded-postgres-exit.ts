const steps = new Set<() => void>();

/**
 * Has a step done should the process end without having closed what it opened: at a second Ctrl-C, or after a fault. It must
 * not be asynchronous. Gives the function that takes it back.
 */
export function atAbruptExit(step: () => void): () => void {
  // One listener for all: Node warns of many.
  if (steps.size === 0) process.on('exit', runAll);
  steps.add(step);
  return () => {
    steps.delete(step);
    if (steps.size === 0) process.off('exit', runAll);
  };
}

function runAll(): void {
  for (const step of steps) {
    try {
      step();
    } catch {
      // The process ends anyway, and the next one to start puts it right.
    }
  }
}
