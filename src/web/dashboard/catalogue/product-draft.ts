import { graphql } from '../../shared/graphql.ts';
import type {
  ImageInput,
  ProductCreateInput,
  ProductStatus,
  ProductUpdateInput,
  StaffProductFragment,
} from '../../generated/graphql.ts';

export const PRODUCT = graphql(`
  fragment StaffProduct on Product {
    id
    slug
    title
    description
    vendor
    tags
    status
    updatedAt
    category {
      id
      slug
      name
    }
    images {
      url
      altText
    }
  }
`);

/** A product as the fields of the form have it. */
export interface ProductDraft {
  title: string;
  slug: string;
  vendor: string;
  categorySlug: string;
  status: ProductStatus;
  /** Separated by commas. */
  tags: string;
  description: string;
  images: readonly { url: string; altText: string }[];
}

export const EMPTY_PRODUCT: ProductDraft = {
  title: '',
  slug: '',
  vendor: '',
  categorySlug: '',
  status: 'DRAFT',
  tags: '',
  description: '',
  images: [],
};

export const FIELD_NAMES: Readonly<Record<keyof ProductDraft, string>> = {
  title: 'Title',
  slug: 'Slug',
  vendor: 'Vendor',
  categorySlug: 'Category',
  status: 'Status',
  tags: 'Tags',
  description: 'Description',
  images: 'Pictures',
};

export function draftOf(product: StaffProductFragment): ProductDraft {
  const { title, slug, vendor, category, status, tags, description, images } = product;
  return {
    ...{ title, slug, status, description },
    vendor: vendor ?? '',
    categorySlug: category?.slug ?? '',
    tags: tags.join(', '),
    images: images.map(({ url, altText }) => ({ url, altText: altText ?? '' })),
  };
}

/** A field of a product in words, for people who decide between two versions of it. */
export function valueInWords(field: keyof ProductDraft, draft: ProductDraft): string {
  const value = draft[field];
  if (typeof value !== 'string') return `${value.length} ${value.length === 1 ? 'picture' : 'pictures'}`;
  return value.length > 200 ? `${value.slice(0, 200)}…` : value;
}

const tagsOf = (text: string) =>
  text
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '');

const imagesOf = (images: ProductDraft['images']): ImageInput[] =>
  images.map(({ url, altText }) => ({ url: url.trim(), altText: altText.trim() === '' ? null : altText }));

/** What `productUpdate` is to be sent for some changed fields. Null clears a field. */
export function updateOf(changes: Partial<ProductDraft>): Omit<ProductUpdateInput, 'id'> {
  const { vendor, categorySlug, tags, images, ...texts } = changes;
  return {
    ...texts,
    ...(vendor === undefined ? {} : { vendor: vendor.trim() === '' ? null : vendor }),
    ...(categorySlug === undefined ? {} : { categorySlug: categorySlug === '' ? null : categorySlug }),
    ...(tags === undefined ? {} : { tags: tagsOf(tags) }),
    ...(images === undefined ? {} : { images: imagesOf(images) }),
  };
}

/** What `productCreate` is to be sent, without the variants. An empty slug is derived from the title. */
export function creationOf(draft: ProductDraft): Omit<ProductCreateInput, 'variants'> {
  const { slug, categorySlug, tags, images, ...texts } = draft;
  return {
    ...texts,
    ...(slug.trim() === '' ? {} : { slug: slug.trim() }),
    ...(categorySlug === '' ? {} : { categorySlug }),
    tags: tagsOf(tags),
    images: imagesOf(images),
  };
}
