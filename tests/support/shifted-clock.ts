// Loaded before a process's own code (`node --import`): its clock is `CLOCK_SHIFT_MS` milliseconds ahead from the start on.
const shift = Number(process.env.CLOCK_SHIFT_MS ?? 0);
const real = Date.now;
Date.now = () => real() + shift;
globalThis.Date = new Proxy(Date, {
  construct: (target, args: unknown[], newTarget) =>
    Reflect.construct(target, args.length === 0 ? [target.now()] : args, newTarget) as object,
  apply: (target) => new target(target.now()).toString(),
});
