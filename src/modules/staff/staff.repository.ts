import { countUpTo } from '../../infra/postgres/count.ts';
import type { Queryable, Statement } from '../../infra/postgres/database.ts';
import { keyset, toPage, type Page, type PageRequest } from '../../infra/postgres/page.ts';

/** A field before and after, as text; null where there was nothing. */
export interface FieldChange {
  field: string;
  before: string | null;
  after: string | null;
}

/** One thing that somebody of the staff did. */
export interface StaffActionRow {
  /** Decimal digits; ids are given in the order of insertion. */
  id: string;
  actorId: string | null;
  kind: string;
  subjectType: string;
  subjectId: string;
  changes: FieldChange[];
  note: string | null;
  occurredAt: Date;
}

export type NewStaffAction = Omit<StaffActionRow, 'id' | 'occurredAt'>;

const insert: Statement = {
  name: 'staff_action_insert',
  text: `INSERT INTO staff_actions (actor_id, kind, subject_type, subject_id, changes, note, occurred_at)
         SELECT actor_id, kind, subject_type, subject_id, changes, note, $7::timestamptz
           FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::jsonb[], $6::text[])
             WITH ORDINALITY AS a(actor_id, kind, subject_type, subject_id, changes, note, ordinal) ORDER BY ordinal`,
};

/** Writes entries of the record, in the order given. */
export async function insertActions(tx: Queryable, at: Date, actions: readonly NewStaffAction[]): Promise<void> {
  await tx.query(insert, [
    actions.map((action) => action.actorId),
    actions.map((action) => action.kind),
    actions.map((action) => action.subjectType),
    actions.map((action) => action.subjectId),
    actions.map((action) => JSON.stringify(action.changes)),
    actions.map((action) => action.note),
    at,
  ]);
}

const COLUMNS = `id::text, actor_id AS "actorId", kind, subject_type AS "subjectType", subject_id AS "subjectId", changes, note,
  occurred_at AS "occurredAt"`;

const byIds: Statement = {
  name: 'staff_actions_by_ids',
  text: `SELECT ${COLUMNS} FROM staff_actions WHERE id = ANY($1::bigint[])`,
};

/** Entries by id, in no order. */
export function findActions(source: Queryable, ids: readonly string[]): Promise<StaffActionRow[]> {
  return source.query<StaffActionRow>(byIds, [ids]);
}

/** Which entries: those that meet all that is given. */
export interface StaffActionQuery {
  actorId?: string;
  subjectId?: string;
}

type Parameter = (value: unknown) => string;

function conditions({ actorId, subjectId }: StaffActionQuery, parameter: Parameter): { name: string; where: string } {
  const terms = [
    ...(actorId === undefined ? [] : [['actor', `actor_id = ${parameter(actorId)}::uuid`]]),
    ...(subjectId === undefined ? [] : [['subject', `subject_id = ${parameter(subjectId)}::uuid`]]),
  ];
  return {
    name: terms.map(([name]) => `_${name}`).join(''),
    where: terms.map(([, term]) => ` AND ${term}`).join(''),
  };
}

/** A page of the record, the latest first. */
export async function findActionPage(
  source: Queryable,
  query: StaffActionQuery,
  page: PageRequest,
): Promise<Page<StaffActionRow>> {
  const values: unknown[] = [];
  const parameter: Parameter = (value) => `$${values.push(value)}`;
  const { name, where } = conditions(query, parameter);
  const latestFirst = [{ expression: 'a.id', type: 'bigint', descending: true }];
  const { condition, orderBy, cursor } = keyset(latestFirst, page, parameter);
  const rows = await source.query<StaffActionRow & { cursor: string[] }>(
    {
      name: `staff_actions${name}_${page.direction}${page.cursor === null ? '' : '_on'}`,
      text: `SELECT ${COLUMNS}, ${cursor} AS cursor FROM staff_actions a
              WHERE ${condition}${where} ORDER BY ${orderBy} LIMIT ${parameter(page.limit + 1)}`,
    },
    values,
  );
  return toPage(rows, page);
}

/** How many entries the query finds, as far as lists count. */
export function countActions(source: Queryable, query: StaffActionQuery): Promise<number> {
  const values: unknown[] = [];
  const { name, where } = conditions(query, (value) => `$${values.push(value)}`);
  return countUpTo(source, `SELECT FROM staff_actions WHERE TRUE${where}`, values, `staff_action_count${name}`);
}
