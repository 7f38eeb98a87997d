import { Refusal, UserError } from '../user-error.ts';
import type { ExpectedVersion } from './catalog.types.ts';

/** What can be edited with the version in mind that the editor saw, by the names that clients know. */
export type EditableType = 'Product' | 'ProductVariant' | 'Category';

/** An object was changed after the caller had read it. */
export class EditConflictError extends UserError {
  readonly subject: { type: EditableType; id: string };
  readonly expectedUpdatedAt: Date;
  /** Time of the change that the caller does not know. */
  readonly updatedAt: Date;

  constructor(fault: { subject: { type: EditableType; id: string }; expectedUpdatedAt: Date; updatedAt: Date }) {
    super('EDIT_CONFLICT', 'The object was changed in the meantime. Nothing was saved.', ['expectedUpdatedAt']);
    this.subject = fault.subject;
    this.expectedUpdatedAt = fault.expectedUpdatedAt;
    this.updatedAt = fault.updatedAt;
  }
}

/**
 * Compares the version that the caller has seen with the present one, under the lock of the object.
 * @throws Refusal with an EditConflictError if they differ
 */
export function assertVersion(
  subject: EditConflictError['subject'],
  expectedUpdatedAt: ExpectedVersion,
  updatedAt: Date,
): void {
  if (expectedUpdatedAt === null || expectedUpdatedAt.getTime() === updatedAt.getTime()) return;
  throw new Refusal(new EditConflictError({ subject, expectedUpdatedAt, updatedAt }));
}
