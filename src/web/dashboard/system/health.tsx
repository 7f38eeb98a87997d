import { useEffect } from 'react';
import { formatCount, formatCountdown } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import type { StaffHealthQuery } from '../../generated/graphql.ts';
import { Badge } from '../parts/badge.tsx';
import { Panel } from '../parts/page.tsx';
import { Fault, Loading } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { FailedJobs } from './failed-jobs.tsx';

const HEALTH = graphql(`
  query StaffHealth {
    systemHealth {
      checkedAt
      relay {
        waitingCount
        oldestWaitingAt
      }
      consumers {
        name
        waitingCount
        oldestWaitingAt
        parkedCount
        leasedUntil
      }
      queues {
        name
        waitingCount
        delayedCount
        activeCount
        failedCount
        oldestWaitingSince
      }
      mail {
        dueCount
        oldestDueAt
        failedCount
      }
    }
  }
`);

type Health = NonNullable<StaffHealthQuery['systemHealth']>;

/**
 * What stands still sends no events, so the health is the one thing that is read by the clock: every ten seconds, while somebody
 * looks at it.
 */
const EVERY_MS = 10_000;
/** Work that waits for longer than this is late. */
const LATE_MS = 60_000;
/** A consumer that no process runs while events wait for longer than this runs nowhere. */
const UNTOUCHED_MS = 10_000;

/** How relay, consumers, queues and mails stand, and the jobs that failed. */
export function SystemHealth() {
  const [{ data, error }, reread] = usePage(HEALTH, {});
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') reread();
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  const health = data?.systemHealth;
  if (health == null) return error === undefined ? <Loading rows={4} /> : <Fault error={error} retry={reread} />;
  return (
    <>
      <Panel title="Health">
        <HealthTable health={health} />
      </Panel>
      {(health.queues ?? [])
        .filter(({ failedCount }) => failedCount > 0)
        .map(({ name, failedCount }) => (
          <FailedJobs key={name} queue={name} count={failedCount} onRetry={reread} />
        ))}
    </>
  );
}

interface Row {
  part: string;
  name: string;
  waiting: number;
  since: string | null | undefined;
  failed: number;
  /** What is wrong with it, beside work that is late. */
  fault?: string | undefined;
}

function rowsOf({ checkedAt, relay, consumers, queues, mail }: Health): Row[] {
  const waitsFor = (since: string | null | undefined) =>
    since == null ? 0 : Date.parse(checkedAt) - Date.parse(since);
  return [
    { part: 'Events', name: 'relay', waiting: relay.waitingCount, since: relay.oldestWaitingAt, failed: 0 },
    ...consumers.map(({ name, waitingCount, oldestWaitingAt, parkedCount, leasedUntil }) => ({
      ...{ part: 'Consumer', name, waiting: waitingCount, since: oldestWaitingAt, failed: parkedCount },
      // A consumer that has nothing to do gives its lease back.
      fault: leasedUntil == null && waitsFor(oldestWaitingAt) > UNTOUCHED_MS ? 'Runs nowhere' : undefined,
    })),
    ...(queues ?? []).map(({ name, waitingCount, oldestWaitingSince, failedCount }) => ({
      ...{ part: 'Queue', name, waiting: waitingCount, since: oldestWaitingSince, failed: failedCount },
    })),
    { part: 'Mails', name: 'outgoing', waiting: mail.dueCount, since: mail.oldestDueAt, failed: mail.failedCount },
  ];
}

function HealthTable({ health }: { health: Health }) {
  const now = Date.parse(health.checkedAt);
  return (
    <>
      {health.queues == null && (
        <p>
          <Badge tone="bad">The job queues cannot be reached</Badge>
        </p>
      )}
      <TablePlace label="Health">
        <table className="table">
          <caption className="visually-hidden">Work in the background</caption>
          <thead>
            <tr>
              <th scope="col">Part</th>
              <th scope="col">State</th>
              <th scope="col" className="end">
                Waiting
              </th>
              <th scope="col" className="end">
                For
              </th>
              <th scope="col" className="end">
                Failed
              </th>
            </tr>
          </thead>
          <tbody>
            {rowsOf(health).map((row) => {
              const ms = row.since == null ? 0 : now - Date.parse(row.since);
              return (
                <tr key={`${row.part} ${row.name}`}>
                  <th scope="row">
                    {row.name}
                    <span className="quiet small block">{row.part}</span>
                  </th>
                  <td>
                    <State fault={row.fault} isLate={row.waiting > 0 && ms > LATE_MS} hasFailed={row.failed > 0} />
                  </td>
                  <td className="number end">{formatCount(row.waiting)}</td>
                  <td className="number end">{row.waiting > 0 && row.since != null ? formatCountdown(ms) : ''}</td>
                  <td className="number end">{row.failed === 0 ? '' : formatCount(row.failed)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </TablePlace>
    </>
  );
}

function State({ fault, isLate, hasFailed }: { fault: string | undefined; isLate: boolean; hasFailed: boolean }) {
  if (fault !== undefined) return <Badge tone="bad">{fault}</Badge>;
  if (isLate) return <Badge tone="bad">Late</Badge>;
  return hasFailed ? <Badge tone="warm">Has failures</Badge> : <Badge tone="good">Well</Badge>;
}
