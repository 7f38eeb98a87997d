import type { IncomingMessage } from 'node:http';
import PostalMime, { type Address, type Email } from 'postal-mime';
import { listMailbox, readFromMailbox } from '../infra/mail/mailer-mailbox.ts';
import { isSameSecret } from '../infra/same-secret.ts';
import { listPage, mailPage, type MailHead } from './mailbox-html.ts';
import type { Page } from './pages.ts';

const PATH = '/mailbox';
const COOKIE = 'mailbox_token';
/** Mails on one page of the list. */
const PAGE = 50;

/**
 * What is shown of a mail stands in a frame that has this policy, too: no scripts, nothing from elsewhere. It cannot be
 * framed itself, nor send forms.
 */
const HEADERS = {
  'cache-control': 'no-store',
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

/**
 * The local mailbox. It is shown to an ADMIN, or to the holder of the token that is printed at start. Links in emails give access to
 * accounts, so the origin of a request is not enough.
 * @param options.roleOf role of the user who requests the page; null if no user is logged in
 */
export function createMailboxPage(options: {
  folder: string;
  shopName: string;
  /** Opens the mailbox without a log-in: see `mailboxToken`. */
  token: string;
  roleOf: (req: IncomingMessage) => Promise<string | null>;
}): Page {
  const { folder, shopName, token, roleOf } = options;

  async function list(before: string | null): Promise<string> {
    const ids = await listMailbox(folder);
    const from = before === null ? 0 : ids.filter((id) => id >= before).length;
    const shown = ids.slice(from, from + PAGE);
    const heads = await Promise.all(shown.map((id) => readHead(folder, id)));
    const next = ids.length > from + PAGE ? (shown.at(-1) ?? null) : null;
    // One that went meanwhile is left out.
    return listPage({
      shopName,
      total: ids.length,
      from,
      heads: heads.filter((head) => head !== null),
      next: next === null ? null : `${PATH}?before=${next}`,
      path: PATH,
    });
  }

  async function show(id: string): Promise<string | null> {
    const raw = await readFromMailbox(folder, id);
    if (raw === null) return null;
    const mail = await PostalMime.parse(raw);
    const head = headOf(id, mail);
    const { html = null, text = null, headers } = mail;
    return mailPage({ shopName, head, html, text, headers, path: PATH });
  }

  function hasToken({ headers }: IncomingMessage): boolean {
    const bearer = headers.authorization?.replace(/^Bearer /i, '');
    const cookie = headers.cookie?.split(';').find((pair) => pair.trim().startsWith(`${COOKIE}=`));
    return [bearer, cookie?.trim().slice(COOKIE.length + 1)].some(
      (one) => one !== undefined && isSameSecret(one, token),
    );
  }

  /** Keeps the token in a cookie of this page alone, and out of the browser's history. */
  function letIn(path: string): Response {
    const cookie = `${COOKIE}=${token}; Path=${PATH}; HttpOnly; SameSite=Lax`;
    return new Response(null, { status: 303, headers: { ...HEADERS, location: path, 'set-cookie': cookie } });
  }

  return async (request, incoming) => {
    const { pathname, searchParams } = new URL(request.url);
    const given = searchParams.get('token');
    if (given !== null && isSameSecret(given, token)) return letIn(pathname);
    if (!hasToken(incoming)) {
      const role = await roleOf(incoming);
      if (role === null) return refusal(401, 'Log in as an ADMIN, or open the link that the shop printed at startup.');
      if (role !== 'ADMIN') return refusal(403, 'Only an ADMIN may see this page.');
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refusal(405, 'This page is read-only.', { allow: 'GET, HEAD' });
    }
    const id = pathname.slice(PATH.length).replaceAll('/', '');
    const page = id === '' ? await list(searchParams.get('before')) : await show(id);
    if (page === null) return refusal(404, 'Email not found.');
    return new Response(page, { headers: HEADERS });
  };
}

function refusal(status: number, error: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error }, { status, headers: { 'cache-control': 'no-store', ...headers } });
}

/** A list reads no more of a mail than its head. */
async function readHead(folder: string, id: string): Promise<MailHead | null> {
  const raw = await readFromMailbox(folder, id);
  if (raw === null) return null;
  const end = raw.indexOf('\r\n\r\n');
  return headOf(id, await PostalMime.parse(end < 0 ? raw : raw.subarray(0, end + 4)));
}

function headOf(id: string, { subject = '', from, to = [], date }: Email): MailHead {
  const at = new Date(date ?? '');
  return {
    id,
    subject,
    from: from === undefined ? '' : nameOf(from),
    to: to.map(nameOf).join(', '),
    at: Number.isNaN(at.getTime()) ? null : at,
  };
}

function nameOf({ name, address }: Address): string {
  if (address === undefined) return name;
  return name === '' ? address : `${name} <${address}>`;
}
