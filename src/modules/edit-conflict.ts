import { Refusal, UserError } from './user-error.ts';

/** An object of the API, by its type and the ID of its row. */
export interface EditedObject {
  type: string;
  id: string;
}

/** The version of an object that a change is based on, as its `updatedAt`. Null if the caller does not name one. */
export type ExpectedVersion = Date | null;

/** An object was changed after the caller had read it. */
export class EditConflictError extends UserError {
  readonly subject: EditedObject;
  readonly expectedUpdatedAt: Date;
  /** Time of the change that the caller does not know. */
  readonly updatedAt: Date;

  constructor(fault: { subject: EditedObject; expectedUpdatedAt: Date; updatedAt: Date }) {
    super('EDIT_CONFLICT', 'The object was changed in the meantime. Nothing was saved.', ['expectedUpdatedAt']);
    this.subject = fault.subject;
    this.expectedUpdatedAt = fault.expectedUpdatedAt;
    this.updatedAt = fault.updatedAt;
  }
}

/**
 * Compares the version that the caller has read with the present one. Must be called under the lock of the object.
 * @throws Refusal with an EditConflictError if they differ
 */
export function assertVersion(subject: EditedObject, expectedUpdatedAt: ExpectedVersion, updatedAt: Date): void {
  if (expectedUpdatedAt === null || expectedUpdatedAt.getTime() === updatedAt.getTime()) return;
  throw new Refusal(new EditConflictError({ subject, expectedUpdatedAt, updatedAt }));
}
