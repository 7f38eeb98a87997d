/** One statement of a script, and the offset at which it begins. */
export interface ScriptStatement {
  text: string;
  offset: number;
}

/** What a semicolon does not end a statement in: comments, strings, quoted names and dollar-quoted bodies. */
const OPENING = /--|\/\*|\$(?:[a-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$|e?'|"|;|\bbegin\s+atomic\b/giu;
/** Statements that PostgreSQL refuses inside a transaction. */
const ALONE =
  /^(create\s+(unique\s+)?index\s+concurrently|drop\s+index\s+concurrently|reindex\b.*\bconcurrently|vacuum)\b/isu;
const FULL = /^vacuum\b.*\bfull\b/isu;
const TRANSACTION_CONTROL = /^(begin|start\s+transaction|commit|rollback|abort|end|prepare\s+transaction)\b/iu;

/**
 * Cuts a script into its statements, as psql does. Comments before a statement are left out; a script of comments alone
 * has none.
 */
export function splitStatements(sql: string): ScriptStatement[] {
  const statements: ScriptStatement[] = [];
  let begin = 0;
  const end = (to: number) => {
    const offset = skipBlank(sql, begin);
    const text = sql.slice(offset, to).trim();
    if (offset < to && text !== '') statements.push({ text, offset });
    begin = to + 1;
  };
  const opening = new RegExp(OPENING);
  for (let found = opening.exec(sql); found !== null; found = opening.exec(sql)) {
    if (found[0] === ';') end(found.index);
    else opening.lastIndex = endOf(sql, found[0].toLowerCase(), found.index);
  }
  end(sql.length);
  return statements;
}

/** Whether a statement cannot be part of a transaction. */
export function runsAlone({ text }: ScriptStatement): boolean {
  return ALONE.test(text);
}

/** Whether a statement that cannot be part of a transaction keeps other sessions from reading and writing. */
export function stopsOthers({ text }: ScriptStatement): boolean {
  return FULL.test(text);
}

/** Whether a statement begins or ends a transaction: a migration leaves that to the migrator. */
export function controlsTransaction({ text }: ScriptStatement): boolean {
  return TRANSACTION_CONTROL.test(text);
}

/** The line of a script on which a character stands, counted from 1. */
export function lineAt(sql: string, offset: number): number {
  return sql.slice(0, offset).split('\n').length;
}

/** Where what opened at `from` is over. */
function endOf(sql: string, opener: string, from: number): number {
  const after = from + opener.length;
  const closedBy = (text: string) => {
    const at = sql.indexOf(text, after);
    return at === -1 ? sql.length : at + text.length;
  };
  if (opener === '--') return closedBy('\n');
  if (opener === '/*') return endOfNested(sql, after, /\/\*|\*\//g, '/*');
  if (opener.startsWith('$')) return closedBy(sql.slice(from, after));
  // The body of an SQL function has statements of its own, and CASE ends as it does.
  if (opener.startsWith('begin')) return endOfNested(sql, after, /\b(?:case|end)\b/gi, 'case');
  // A doubled quote is taken for the end of one string and the beginning of the next, which comes to the same.
  if (opener !== "e'") return closedBy(opener);
  const closing = /\\.|'/gsu;
  closing.lastIndex = after;
  for (let found = closing.exec(sql); found !== null; found = closing.exec(sql)) {
    if (found[0] === "'") return closing.lastIndex;
  }
  return sql.length;
}

function endOfNested(sql: string, from: number, marks: RegExp, opener: string): number {
  marks.lastIndex = from;
  let depth = 1;
  for (let found = marks.exec(sql); found !== null; found = marks.exec(sql)) {
    depth += found[0].toLowerCase() === opener ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return sql.length;
}

function skipBlank(sql: string, from: number): number {
  let at = from;
  for (;;) {
    const space = /\S/u.exec(sql.slice(at));
    if (space === null) return sql.length;
    at += space.index;
    if (sql.startsWith('--', at)) at = endOf(sql, '--', at);
    else if (sql.startsWith('/*', at)) at = endOf(sql, '/*', at);
    else return at;
  }
}
