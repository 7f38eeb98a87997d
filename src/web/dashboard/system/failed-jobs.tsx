import { useEffect } from 'react';
import { useMutation } from 'urql';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { Panel } from '../parts/page.tsx';
import { Fault, Loading } from '../parts/states.tsx';
import { RetryList } from './retry-list.tsx';

const JOBS = graphql(`
  query StaffFailedJobs($queue: String!) {
    failedJobs(queue: $queue, first: 20) {
      nodes {
        id
        name
        attempts
        reason
        failedAt
      }
    }
  }
`);

const RETRY = graphql(`
  mutation StaffJobRetry($id: ID!) {
    failedJobRetry(input: { id: $id }) {
      errors {
        message
      }
    }
  }
`);

/** The jobs of a queue that failed in all their attempts. */
export function FailedJobs({ queue, count, onRetry }: { queue: string; count: number; onRetry: () => void }) {
  const [{ data, error }, reread] = usePage(JOBS, { queue });
  const [, retry] = useMutation(RETRY);
  useEffect(() => reread(), [count]);
  const jobs = data?.failedJobs?.nodes;
  return (
    <Panel title={`Failed jobs of ${queue}`}>
      {jobs === undefined && (error === undefined ? <Loading rows={2} /> : <Fault error={error} retry={reread} />)}
      {jobs !== undefined && (
        <RetryList
          none="No job has failed."
          items={jobs.map(({ id, name, attempts, reason, failedAt }) => ({
            id,
            name,
            at: failedAt,
            detail: `${reason} (after ${formatCount(attempts)} ${attempts === 1 ? 'attempt' : 'attempts'})`,
          }))}
          retry={async (id) => {
            const result = await retry({ id });
            reread();
            onRetry();
            return result;
          }}
        />
      )}
    </Panel>
  );
}
