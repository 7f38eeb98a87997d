import { Link } from 'wouter';
import { formatCount, formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { Status } from '../parts/badge.tsx';
import { Page, Panel } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { pageArguments, usePlace } from '../parts/place.ts';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';
import { useReread } from '../parts/use-reread.ts';
import { onImportChange, useImportChanges } from './import-changes.ts';
import { UploadForm } from './upload-form.tsx';
import '../catalogue/catalogue.css';

const IMPORTS = graphql(`
  query StaffImportsPage($first: Int, $last: Int, $after: String, $before: String) {
    eventCursor(for: "ImportsPage")
    productImports(first: $first, last: $last, after: $after, before: $before) {
      nodes {
        ...StaffImport
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`);

/** The imports of product files, and the form for another one. */
export function ImportsPage() {
  const { get } = usePlace();
  const [{ data, error }, reread] = usePage(IMPORTS, pageArguments(get));
  useImportChanges(data?.eventCursor);
  useReread(onImportChange, reread, 1000);
  const imports = data?.productImports;
  return (
    <Page
      title="Imports"
      lead="Products from a CSV file."
      actions={
        <Link href="/catalogue" className="button button-second">
          All products
        </Link>
      }
    >
      <Panel title="New import">
        <UploadForm />
      </Panel>
      {error !== undefined && imports == null && <Fault error={error} retry={reread} />}
      {error === undefined && imports == null && <Loading rows={3} />}
      {imports?.nodes.length === 0 && <Empty>Nothing has been imported yet.</Empty>}
      {imports != null && imports.nodes.length > 0 && (
        <TablePlace label="Imports">
          <table className="table">
            <caption className="visually-hidden">Imports, newest first</caption>
            <thead>
              <tr>
                <th scope="col">File</th>
                <th scope="col">Status</th>
                <th scope="col" className="end">
                  Products
                </th>
                <th scope="col" className="end">
                  Rejected
                </th>
                <th scope="col">By</th>
                <th scope="col">Uploaded</th>
              </tr>
            </thead>
            <tbody>
              {imports.nodes.map((one) => (
                <tr key={one.id}>
                  <th scope="row" className="long">
                    <Link href={`/imports/${encodeURIComponent(one.id)}`}>{one.fileName}</Link>
                    {one.dryRun && <span className="quiet small block">Dry run</span>}
                  </th>
                  <td>
                    <Status of={one.status} />
                  </td>
                  <td className="number end">{formatCount(one.productCount)}</td>
                  <td className="number end">{formatCount(one.rejectedCount)}</td>
                  <td className="long">{one.actor?.name ?? ''}</td>
                  <td className="number small">{formatTime(one.createdAt)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </TablePlace>
      )}
      {imports != null && <Pager info={imports.pageInfo} of="imports" />}
    </Page>
  );
}
