import { useId, useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { useLocation } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { refusalOf } from '../parts/refusal.ts';
import './import-changes.ts';
import { piecesOf, readText } from './upload.ts';

const CREATE = graphql(`
  mutation StaffImportCreate($fileName: String!) {
    productImportCreate(input: { fileName: $fileName }) {
      productImport {
        ...StaffImport
      }
      errors {
        message
      }
    }
  }
`);

const APPEND = graphql(`
  mutation StaffImportAppend($id: ID!, $offset: Int!, $content: String!) {
    productImportAppend(input: { id: $id, offset: $offset, content: $content }) {
      productImport {
        id
        sizeBytes
      }
      errors {
        message
      }
    }
  }
`);

const START = graphql(`
  mutation StaffImportStart($id: ID!, $dryRun: Boolean!) {
    productImportStart(input: { id: $id, dryRun: $dryRun }) {
      productImport {
        ...StaffImport
      }
      errors {
        message
      }
    }
  }
`);

/** Starts a run of an import. Gives the reason where it could not be started. */
export function useStart(): (id: string, dryRun: boolean) => Promise<string | null> {
  const [, start] = useMutation(START);
  return async (id, dryRun) => refusalOf(await start({ id, dryRun }));
}

/** Uploads a file and starts a dry run of it. */
export function UploadForm() {
  const [, go] = useLocation();
  const [, create] = useMutation(CREATE);
  const [, append] = useMutation(APPEND);
  const start = useStart();
  const [file, setFile] = useState<File | null>(null);
  const [uploaded, setUploaded] = useState<number | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const id = useId();

  async function upload(chosen: File): Promise<string | null> {
    const text = await readText(chosen);
    if (text === null) return 'The file is not encoded in UTF-8. Save it as “CSV UTF-8”.';
    if (text === '') return 'The file is empty.';
    const created = await create({ fileName: chosen.name.slice(-200) });
    const made = created.data?.productImportCreate?.productImport;
    if (made == null) return refusalOf(created);
    let offset = 0;
    for (const content of piecesOf(text)) {
      const added = await append({ id: made.id, offset, content });
      const next = added.data?.productImportAppend?.productImport;
      if (next == null) return refusalOf(added);
      offset = next.sizeBytes;
      setUploaded(offset / chosen.size);
    }
    const refusal = await start(made.id, true);
    if (refusal === null) go(`/imports/${encodeURIComponent(made.id)}`);
    return refusal;
  }
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (uploaded !== null) return;
    if (file === null) {
      setFault('Choose a file.');
      return;
    }
    setUploaded(0);
    setFault(await upload(file));
    setUploaded(null);
  }
  return (
    <form className="entry-form" onSubmit={(event) => void submit(event)} noValidate aria-label="Import products">
      <div className="field">
        <label htmlFor={id}>Product CSV</label>
        <input
          id={id}
          type="file"
          accept=".csv,text/csv"
          aria-invalid={fault === null ? undefined : true}
          aria-describedby={`${id}-hint${fault === null ? '' : ` ${id}-fault`}`}
          onChange={({ target }) => {
            setFile(target.files?.[0] ?? null);
            setFault(null);
          }}
        />
        <p id={`${id}-hint`} className="field-hint">
          As Shopify exports it, in UTF-8, at most 20 MB. A dry run comes first: it shows what would happen, and changes
          nothing.
        </p>
        {fault !== null && (
          <p id={`${id}-fault`} className="field-fault">
            {fault}
          </p>
        )}
      </div>
      {uploaded !== null && <Notice>{formatCount(Math.round(uploaded * 100))} % uploaded</Notice>}
      <div>
        <Button type="submit" busy={uploaded !== null}>
          Upload and check
        </Button>
      </div>
    </form>
  );
}
