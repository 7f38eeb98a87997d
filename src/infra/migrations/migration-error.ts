/** The database and the migrations do not fit together, or one failed; the message says what to do. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}
