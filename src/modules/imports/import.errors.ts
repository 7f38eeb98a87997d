/** A file that cannot be imported at all; nothing of it was. */
export class FileError extends Error {}
