import { graphql } from '../../shared/graphql.ts';
import { useLive } from '../../shared/use-live.ts';

export const IMPORT = graphql(`
  fragment StaffImport on ProductImport {
    id
    fileName
    status
    dryRun
    isFileKept
    sizeBytes
    rowCount
    doneRowCount
    productCount
    createdCount
    changedCount
    unchangedCount
    rejectedCount
    findingCount
    unknownColumns
    fault
    createdAt
    startedAt
    finishedAt
    actor {
      id
      name
    }
  }
`);

const CHANGES = graphql(`
  subscription DashboardImports($after: EventCursor) {
    productImportChanged(after: $after) {
      cursor
      productImport {
        ...StaffImport
      }
    }
  }
`);

const listeners = new Set<() => void>();

/** Calls `listener` when an import that an open page follows has come further. Returns how to stop. */
export function onImportChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Follows all imports: their progress shows wherever they are shown. */
export function useImportChanges(after: string | null | undefined): void {
  useLive(CHANGES, {
    variables: {},
    after,
    onEvent() {
      for (const listener of listeners) listener();
    },
  });
}
