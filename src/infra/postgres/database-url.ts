import { readFileSync } from 'node:fs';

/** An address of a database that cannot be used as it is. The message says what to change, and holds no password. */
export class DatabaseUrlError extends Error {}

/** What an address says beside where the database is. */
export interface DatabaseUrl {
  /** For `pg`. */
  connectionString: string;
  /** By `?schema=`; null: the default of the role or the database. */
  schema: string | null;
  /** `?pgbouncer=true`, with which other tools are informed of a transaction pooler. */
  pgbouncer: boolean;
}

/** Parameters of other tools, which `pg` does not know. */
const OTHERS = ['schema', 'pgbouncer', 'connection_limit', 'pool_timeout', 'channel_binding'];
const SSL_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify'];

/**
 * Reads an address, in the notation of libpq and of Prisma.
 * @param name of the setting that has it, for messages
 * @throws DatabaseUrlError
 */
export function readDatabaseUrl(given: string, name = 'DATABASE_URL'): DatabaseUrl {
  const url = new URL(given);
  const { searchParams } = url;
  const schema = searchParams.get('schema');
  if (schema !== null && (schema === '' || Buffer.byteLength(schema) > 63 || schema.startsWith('pg_')))
    throw new DatabaseUrlError(`${name} names a schema (${schema}) that PostgreSQL does not allow.`);
  const pgbouncer = searchParams.get('pgbouncer') === 'true';
  for (const other of OTHERS) searchParams.delete(other);

  const mode = searchParams.get('sslmode');
  if (mode !== null && !SSL_MODES.includes(mode))
    throw new DatabaseUrlError(`${name} has sslmode=${mode}, which must be one of ${SSL_MODES.join(', ')}.`);
  const rootCert = searchParams.get('sslrootcert');
  // The authorities that come with Node.js, which is what `pg` goes by without a file.
  if (rootCert === 'system') searchParams.delete('sslrootcert');
  else if (rootCert !== null) assertCertificates(rootCert, name);
  if (mode === 'verify-ca') {
    if (rootCert === null)
      throw new DatabaseUrlError(
        `${name} has sslmode=verify-ca, for which sslrootcert=/path/to/ca.pem must name the authority: with public ones ` +
          'anybody could have a certificate. sslmode=verify-full checks the host name too.',
      );
    searchParams.set('uselibpqcompat', 'true');
  }
  // `pg` checks certificates and host names with these too, and warns that it will not do so one day.
  if (mode === 'require' || mode === 'prefer') searchParams.set('sslmode', 'verify-full');
  return { connectionString: url.href, schema, pgbouncer };
}

function assertCertificates(file: string, name: string): void {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new DatabaseUrlError(
      `The file that sslrootcert in ${name} names cannot be read: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
  if (!text.includes('-----BEGIN CERTIFICATE-----'))
    throw new DatabaseUrlError(
      `The file that sslrootcert in ${name} names (${file}) has no certificate in PEM format.`,
    );
}

/** OpenSSL's words for a certificate that no known authority has signed. */
const UNKNOWN_AUTHORITY =
  /^(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE)$/;

/** What to do about an error of connecting, in words; null where there is nothing to add to the error's own. */
export function explainConnectError(error: unknown, name = 'DATABASE_URL'): string | null {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && UNKNOWN_AUTHORITY.test(code)) {
    return (
      `The certificate of the database is not signed by an authority that this machine knows (${code}). Add the authority's ` +
      `certificate to ${name}: sslmode=require&sslrootcert=/path/to/ca.pem. (sslmode=no-verify encrypts without a check of ` +
      'who answers.)'
    );
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return (
      `The certificate of the database is for another host name: ${String(message)}. Use that name in ${name}, or ` +
      'sslmode=verify-ca with sslrootcert=/path/to/ca.pem, which checks the authority alone.'
    );
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return `The certificate of the database is out of date or not yet valid (${code}); the clock of this machine may be wrong.`;
  if (message === 'The server does not support SSL connections')
    return `The database does not take encrypted connections: leave sslmode out of ${name}, or set up TLS in the server.`;
  return null;
}
