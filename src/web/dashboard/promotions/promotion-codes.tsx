import { useState, type FormEvent } from 'react';
import { useClient, useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatCount } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { listOf } from '../parts/entered.ts';
import { Panel } from '../parts/page.tsx';
import { refusalOf } from '../parts/refusal.ts';
import { Empty, Fault, Loading } from '../parts/states.tsx';

const CODES = graphql(`
  query StaffPromotionCodes($id: ID!, $search: String, $first: Int!, $after: String) {
    promotion(id: $id) {
      id
      codes(search: $search, first: $first, after: $after) {
        nodes {
          code
        }
        pageInfo {
          hasNextPage
          endCursor
        }
        totalCount
        totalCountPrecision
      }
    }
  }
`);

const ADD = graphql(`
  mutation StaffPromotionCodesAdd($input: PromotionCodesAddInput!) {
    promotionCodesAdd(input: $input) {
      promotion {
        id
        status
      }
      codes
      errors {
        message
      }
    }
  }
`);

const GENERATE = graphql(`
  mutation StaffPromotionCodesGenerate($input: PromotionCodesGenerateInput!) {
    promotionCodesGenerate(input: $input) {
      promotion {
        id
        status
      }
      codes
      errors {
        message
      }
    }
  }
`);

const REMOVE = graphql(`
  mutation StaffPromotionCodesRemove($input: PromotionCodesRemoveInput!) {
    promotionCodesRemove(input: $input) {
      promotion {
        id
        status
      }
      errors {
        message
      }
    }
  }
`);

const SHOWN = 20;
const PAGE = 100;

/** A code as a cell of a CSV file. A leading sign would make a formula of it in a spreadsheet. */
function cellOf(code: string): string {
  const safe = /^[=+\-@\t]/.test(code) ? `'${code}` : code;
  return `"${safe.replaceAll('"', '""')}"`;
}

function save(name: string, codes: readonly string[]): void {
  const url = URL.createObjectURL(
    new Blob([['code', ...codes.map(cellOf)].join('\r\n') + '\r\n'], { type: 'text/csv' }),
  );
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** The codes of a promotion: to be found, added, generated, removed and downloaded. */
export function PromotionCodes({ promotionId, title }: { promotionId: string; title: string }) {
  const client = useClient();
  const [search, setSearch] = useState('');
  const variables = { id: promotionId, first: SHOWN, ...(search.trim() === '' ? {} : { search }) };
  const [{ data, error }, reread] = usePage(CODES, variables);
  const [adding, add] = useMutation(ADD);
  const [generating, generate] = useMutation(GENERATE);
  const [, remove] = useMutation(REMOVE);
  const [codes, setCodes] = useState('');
  const [count, setCount] = useState('100');
  const [prefix, setPrefix] = useState('');
  const [fault, setFault] = useState<string | null>(null);
  const [news, setNews] = useState<string | null>(null);
  const [isSaving, setSaving] = useState(false);

  function done(result: Parameters<typeof refusalOf>[0], words: string): boolean {
    const refusal = refusalOf(result);
    setFault(refusal);
    setNews(refusal === null ? words : null);
    if (refusal === null) reread();
    return refusal === null;
  }
  async function submitCodes(event: FormEvent) {
    event.preventDefault();
    const result = await add({ input: { promotionId, codes: listOf(codes) } });
    if (done(result, `${formatCount(result.data?.promotionCodesAdd?.codes?.length ?? 0)} codes added.`)) setCodes('');
  }
  async function submitGeneration(event: FormEvent) {
    event.preventDefault();
    const result = await generate({ input: { promotionId, count: Number(count), prefix } });
    const drawn = result.data?.promotionCodesGenerate?.codes ?? [];
    done(result, `${formatCount(drawn.length)} codes generated.`);
  }
  async function removeCode(code: string) {
    done(await remove({ input: { promotionId, codes: [code] } }), `Code ${code} removed.`);
  }
  async function download() {
    setSaving(true);
    const all: string[] = [];
    let after: string | null = null;
    for (;;) {
      const result: Awaited<ReturnType<typeof readPage>> = await readPage(after);
      const page = result.data?.promotion?.codes;
      if (page === undefined) {
        setFault(refusalOf(result) ?? 'The shop did not answer. Try again in a moment.');
        break;
      }
      all.push(...page.nodes.map(({ code }) => code));
      after = page.pageInfo.endCursor ?? null;
      if (page.pageInfo.hasNextPage) continue;
      save(`codes ${title}.csv`, all);
      break;
    }
    setSaving(false);
  }
  const readPage = (after: string | null) =>
    client.query(CODES, { id: promotionId, first: PAGE, after }, { requestPolicy: 'network-only' }).toPromise();

  const page = data?.promotion?.codes;
  return (
    <Panel
      title="Codes"
      actions={
        <Button look="second" className="button-small" busy={isSaving} onClick={() => void download()}>
          Download all as CSV
        </Button>
      }
    >
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      {news !== null && <Notice tone="good">{news}</Notice>}
      <form className="category-form" onSubmit={(event) => void submitCodes(event)} noValidate aria-label="Add codes">
        <Field
          label="New codes"
          required
          hint="Separated by commas."
          value={codes}
          onChange={({ target }) => setCodes(target.value)}
        />
        <Button type="submit" look="second" busy={adding.fetching}>
          Add codes
        </Button>
      </form>
      <form
        className="category-form"
        onSubmit={(event) => void submitGeneration(event)}
        noValidate
        aria-label="Generate codes"
      >
        <Field
          label="Number of codes"
          required
          inputMode="numeric"
          hint="At most 10,000."
          value={count}
          onChange={({ target }) => setCount(target.value)}
        />
        <Field
          label="Prefix"
          maxLength={20}
          placeholder="SUMMER-"
          value={prefix}
          onChange={({ target }) => setPrefix(target.value)}
        />
        <Button type="submit" look="second" busy={generating.fetching}>
          Generate codes
        </Button>
      </form>
      <Field
        label="Find codes"
        type="search"
        maxLength={64}
        value={search}
        onChange={({ target }) => setSearch(target.value)}
      />
      {page === undefined && (error === undefined ? <Loading rows={2} /> : <Fault error={error} retry={reread} />)}
      {page?.nodes.length === 0 && <Empty>{search === '' ? 'There are no codes yet.' : 'No code matches.'}</Empty>}
      {page !== undefined && page.nodes.length > 0 && (
        <>
          <p className="quiet small number" role="status">
            {page.totalCountPrecision === 'AT_LEAST' && 'More than '}
            {formatCount(page.totalCount)} {page.totalCount === 1 ? 'code' : 'codes'}
            {page.pageInfo.hasNextPage && `, the first ${SHOWN} shown`}
          </p>
          <ul className="row" aria-label="Codes">
            {page.nodes.map(({ code }) => (
              <li key={code}>
                <code>{code}</code>{' '}
                <Button look="plain" aria-label={`Remove ${code}`} onClick={() => void removeCode(code)}>
                  ×
                </Button>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}
