import { LaggedError } from '../../events/stream.ts';

/*
 * Events are executed for subscribers on the same event loop that answers requests. One event may have to be executed for
 * thousands of subscriptions; here they stand in line, so that a turn of the loop executes a few of them and then lets
 * everything else have its turn. The line is fair by network: each gets the same share of the work, whatever it subscribed to.
 */

/** Runs the executions of events. */
export interface EventQueue {
  /**
   * Runs some work when its turn comes.
   * @param lane work of one lane keeps its order, and lanes have equal shares
   * @param cost as the schema counts it
   * @throws LaggedError where too much of the lane waits already
   */
  run<T>(lane: string, cost: number, work: () => Promise<T>): Promise<T>;
}

export interface EventQueueLimits {
  /** Cost of the executions that have begun and not ended. Enough for a batch of plain events to share its statements. */
  inFlight: number;
  /** Cost that is begun in one turn of the event loop: some milliseconds. */
  perTurn: number;
  /** Executions of one lane that may wait. */
  waiting: number;
}

export const EVENT_QUEUE_LIMITS: EventQueueLimits = { inFlight: 2_000, perTurn: 500, waiting: 10_000 };

/** What a lane may spend when it is its turn: less than the most that one execution costs, so it may have to save. */
const QUANTUM = 100;

interface Job {
  cost: number;
  begin: () => Promise<unknown>;
}

/** Makes the queue of a node. */
export function createEventQueue({ inFlight, perTurn, waiting }: EventQueueLimits = EVENT_QUEUE_LIMITS): EventQueue {
  /** Those with work, in the order of their turns. */
  const lanes = new Map<string, { jobs: Job[]; credit: number }>();
  let running = 0;
  let begunInTurn = 0;
  let nextTurn: NodeJS.Immediate | undefined;

  function take(): Job | null {
    for (const [key, lane] of lanes) {
      const [job] = lane.jobs;
      if (job !== undefined && lane.credit >= job.cost) {
        lane.credit -= job.cost;
        lane.jobs.shift();
        if (lane.jobs.length === 0) lanes.delete(key);
        return job;
      }
      // Its turn is over. Put at the end of the map, the loop comes to it again.
      lane.credit += QUANTUM;
      lanes.delete(key);
      if (job !== undefined) lanes.set(key, lane);
    }
    return null;
  }

  function pump(): void {
    while (running < inFlight && begunInTurn < perTurn) {
      const job = take();
      if (job === null) break;
      running += job.cost;
      begunInTurn += job.cost;
      void job.begin().finally(() => {
        running -= job.cost;
        pump();
      });
    }
    // What ends within the turn must not begin the next one in it: that would go on without end.
    if (begunInTurn > 0) nextTurn ??= setImmediate(turn);
  }

  function turn(): void {
    nextTurn = undefined;
    begunInTurn = 0;
    pump();
  }

  return {
    run(lane, cost, work) {
      const jobs = lanes.get(lane)?.jobs ?? ([] as Job[]);
      if (jobs.length >= waiting) return Promise.reject(new LaggedError());
      return new Promise((resolve, reject) => {
        const begin = () => Promise.resolve().then(work).then(resolve, reject);
        const job = { cost: Math.max(1, cost), begin };
        if (jobs.push(job) === 1) lanes.set(lane, { jobs, credit: 0 });
        pump();
      });
    },
  };
}
