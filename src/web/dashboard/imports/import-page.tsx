import { useState } from 'react';
import { useMutation } from 'urql';
import { Link } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import type { StaffImportFragment, StaffImportPageQuery } from '../../generated/graphql.ts';
import { Badge, Status } from '../parts/badge.tsx';
import { Page, Panel } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { pageArguments, usePlace } from '../parts/place.ts';
import { refusalOf } from '../parts/refusal.ts';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { useReread } from '../parts/use-reread.ts';
import { onImportChange, useImportChanges } from './import-changes.ts';
import { useStart } from './upload-form.tsx';
import '../catalogue/catalogue.css';
import '../stock/stock.css';

const IMPORT = graphql(`
  query StaffImportPage($id: ID!, $first: Int, $last: Int, $after: String, $before: String) {
    eventCursor(for: "ImportPage")
    node(id: $id) {
      id
      ... on ProductImport {
        ...StaffImport
        report(first: $first, last: $last, after: $after, before: $before) {
          nodes {
            kind
            line
            row
            handle
            column
            message
          }
          pageInfo {
            hasNextPage
            hasPreviousPage
            startCursor
            endCursor
          }
        }
      }
    }
  }
`);

const CANCEL = graphql(`
  mutation StaffImportCancel($id: ID!) {
    productImportCancel(input: { id: $id }) {
      productImport {
        ...StaffImport
      }
      errors {
        message
      }
    }
  }
`);

/** How far an import has come, what it found, and what can be done next. */
export function ImportPage({ id }: { id: string }) {
  const { get } = usePlace();
  const [{ data, error, fetching }, reread] = usePage(IMPORT, { id, ...pageArguments(get, 50) });
  useImportChanges(data?.eventCursor);
  // The numbers come with the events; the report is read again.
  useReread(onImportChange, reread, 500);
  const found = data?.node;
  const back = (
    <Link href="/imports" className="button button-second">
      All imports
    </Link>
  );
  if (found == null || !('fileName' in found)) {
    return (
      <Page title="Import" actions={back}>
        {error !== undefined && <Fault error={error} retry={reread} />}
        {error === undefined && fetching && <Loading rows={4} />}
        {error === undefined && !fetching && <Empty>There is no such import.</Empty>}
      </Page>
    );
  }
  return (
    <Page
      title={found.fileName}
      lead={
        <span className="row">
          <Status of={found.status} />
          {found.dryRun && <Badge>Dry run</Badge>}
        </span>
      }
      actions={back}
    >
      <Panel title="Progress">
        <Progress of={found} />
        <Steps of={found} />
      </Panel>
      {found.unknownColumns.length > 0 && (
        <Notice>These columns are not known and were left out: {found.unknownColumns.join(', ')}.</Notice>
      )}
      <Panel title="Report">
        {found.report.nodes.length === 0 ? (
          <Empty>{found.finishedAt == null ? 'Nothing has been found yet.' : 'There is nothing to report.'}</Empty>
        ) : (
          <Report findings={found.report.nodes} />
        )}
        <Pager info={found.report.pageInfo} of="the report" />
      </Panel>
    </Page>
  );
}

function Progress({ of }: { of: StaffImportFragment }) {
  const would = of.dryRun ? 'Would be ' : '';
  const name = (word: string) => (would === '' ? word.charAt(0).toUpperCase() + word.slice(1) : would + word);
  const isOpen = of.status === 'QUEUED' || of.status === 'RUNNING';
  return (
    <>
      {of.fault != null && <Notice tone="bad">{of.fault}</Notice>}
      {isOpen && (
        <label className="field">
          <span>
            {of.rowCount == null
              ? 'Reading the file'
              : `${formatCount(of.doneRowCount)} of ${formatCount(of.rowCount)} rows`}
          </span>
          <progress max={of.rowCount ?? 1} value={of.rowCount == null ? undefined : of.doneRowCount} />
        </label>
      )}
      <dl className="levels">
        {(
          [
            [name('created'), of.createdCount],
            [name('changed'), of.changedCount],
            ['Unchanged', of.unchangedCount],
            [name('rejected'), of.rejectedCount],
          ] as const
        ).map(([term, count]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd className="number">{formatCount(count)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Steps({ of: { id, status, dryRun, isFileKept, sizeBytes } }: { of: StaffImportFragment }) {
  const start = useStart();
  const [, cancel] = useMutation(CANCEL);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  async function take(step: () => Promise<string | null>) {
    setBusy(true);
    setFault(await step());
    setBusy(false);
  }
  const isOpen = status === 'QUEUED' || status === 'RUNNING';
  const canStart = !isOpen && isFileKept && sizeBytes > 0;
  return (
    <>
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      <div className="row">
        {canStart && (
          <Button busy={busy} onClick={() => void take(() => start(id, false))}>
            {dryRun ? 'Import for good' : 'Import again'}
          </Button>
        )}
        {canStart && (
          <Button look="second" busy={busy} onClick={() => void take(() => start(id, true))}>
            Check again
          </Button>
        )}
        {isOpen && (
          <Button look="second" busy={busy} onClick={() => void take(async () => refusalOf(await cancel({ id })))}>
            Cancel import
          </Button>
        )}
      </div>
    </>
  );
}

type Node = NonNullable<StaffImportPageQuery['node']>;
type Findings = Extract<Node, { fileName: string }>['report']['nodes'];

function Report({ findings }: { findings: Findings }) {
  return (
    <TablePlace label="Report">
      <table className="table">
        <caption className="visually-hidden">Findings, in the order of the file</caption>
        <thead>
          <tr>
            <th scope="col" className="end">
              Row
            </th>
            <th scope="col">Kind</th>
            <th scope="col">Product</th>
            <th scope="col">Column</th>
            <th scope="col">Reason</th>
          </tr>
        </thead>
        <tbody>
          {findings.map((finding, index) => (
            <tr key={index}>
              <th scope="row" className="number end">
                {formatCount(finding.row)}
              </th>
              <td>
                <Badge tone={finding.kind === 'REJECTION' ? 'bad' : 'quiet'}>
                  {finding.kind === 'REJECTION' ? 'Rejected' : 'Note'}
                </Badge>
              </td>
              <td className="long">{finding.handle}</td>
              <td>{finding.column ?? ''}</td>
              <td className="long">{finding.message}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </TablePlace>
  );
}
