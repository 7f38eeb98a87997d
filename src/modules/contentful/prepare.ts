import type { ContentfulConfig } from '../../config/config.ts';
import { parseProductChanges } from '../catalog/catalog-writing.service.ts';
import { refuseInput } from '../invalid-input.ts';
import type { ReadyChange } from './apply-entry.ts';
import type { EntryChange } from './entry.ts';
import { parseFields, type EntryFields } from './fields.ts';
import type { Picture, Space } from './space.ts';

/** Makes a change ready to be applied: its fields are parsed, its pictures fetched. */
export type Prepare = (change: EntryChange, known?: ReadonlyMap<string, Picture>) => Promise<ReadyChange>;

/**
 * Makes it. Without a space to ask, pictures stay as they are: what is delivered has only links to them.
 * @throws (when called) Refusal with every fault; an error where the CMS could not be asked
 */
export function createPreparation(deps: {
  config: ContentfulConfig;
  currency: string;
  space: Pick<Space, 'pictures'> | null;
}): Prepare {
  const { config, currency, space } = deps;

  async function imagesOf({ assetIds }: EntryFields, known: ReadonlyMap<string, Picture> | undefined) {
    if (assetIds === null) return null;
    if (assetIds.length === 0) return [];
    const found = known ?? (await space?.pictures(assetIds));
    if (found === undefined) return null;
    const images = assetIds.flatMap((id) => found.get(id) ?? []);
    return parseProductChanges({ images }).images ?? null;
  }

  return async (change, known) => {
    if (change.event !== 'PUBLISHED') return { change, content: null };
    if (change.contentType === null) refuseInput('REQUIRED', 'sys.contentType is missing.', ['sys']);
    const fields = parseFields(change.fields, { locale: config.locale, currency });
    return { change, content: { fields, images: await imagesOf(fields, known) } };
  };
}
