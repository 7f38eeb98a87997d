import { Kind, type FieldNode, type GraphQLResolveInfo, type SelectionSetNode } from 'graphql';
import type { ProductColumn, ProductFields, VariantColumn } from './product-fields.ts';

/*
 * Which columns a query needs, by the fields that it selects. A field that is not listed here may need any of them: then everything
 * is read, as if nobody had looked.
 */

interface Needs {
  product?: readonly ProductColumn[];
  /** Of each variant. */
  variants?: readonly VariantColumn[];
}

const PRODUCT: Readonly<Record<string, Needs>> = {
  __typename: {},
  id: {},
  asOf: {},
  status: {},
  slug: { product: ['slug'] },
  title: { product: ['title'] },
  description: { product: ['description'] },
  vendor: { product: ['vendor'] },
  tags: { product: ['tags'] },
  category: { product: ['categoryId'] },
  images: { product: ['images'] },
  createdAt: { product: ['createdAt'] },
  updatedAt: { product: ['updatedAt'] },
  options: { variants: ['selectedOptions'] },
  priceRange: { variants: ['priceMinor'] },
  availableForSale: { variants: ['available'] },
};

const VARIANT: Readonly<Record<string, readonly VariantColumn[]>> = {
  __typename: [],
  id: [],
  asOf: [],
  product: [],
  sku: ['sku'],
  title: ['selectedOptions'],
  selectedOptions: ['selectedOptions'],
  price: ['priceMinor'],
  compareAtPrice: ['compareAtMinor'],
  available: ['available'],
  availableForSale: ['available'],
  onHand: ['onHand'],
  held: ['held'],
  lowStockThreshold: ['lowStockThreshold'],
  weightGrams: ['weightGrams'],
  requiresShipping: ['requiresShipping'],
  taxCategory: ['taxCategoryId'],
  updatedAt: ['updatedAt'],
};

/** Fields of a connection that need nothing of its items. */
const ABOUT_LIST: ReadonlySet<string> = new Set(['__typename', 'asOf', 'totalCount', 'totalCountPrecision']);
const ABOUT_PLACE: ReadonlySet<string> = new Set(['startCursor', 'endCursor']);

class Unknown extends Error {}

/** Thrown often where clients use such fields: it needs no stack. */
const UNKNOWN = new Unknown();

interface Collected {
  product: Set<ProductColumn>;
  variants: Set<VariantColumn> | null;
  cursor: boolean;
}

type Info = Pick<GraphQLResolveInfo, 'fieldNodes' | 'fragments'>;
type Collect = (node: FieldNode, info: Info, to: Collected) => void;

/** Every field of a selection set, in fragments too, whatever their conditions. */
function eachField(set: SelectionSetNode | undefined, info: Info, each: (node: FieldNode) => void): void {
  for (const selection of set?.selections ?? []) {
    if (selection.kind === Kind.FIELD) each(selection);
    else if (selection.kind === Kind.INLINE_FRAGMENT) eachField(selection.selectionSet, info, each);
    else eachField(info.fragments[selection.name.value]?.selectionSet, info, each);
  }
}

const collectVariant: Collect = (node, info, to) => {
  const variants = (to.variants ??= new Set());
  eachField(node.selectionSet, info, ({ name: { value } }) => {
    const needs = VARIANT[value];
    if (needs === undefined) throw UNKNOWN;
    for (const column of needs) variants.add(column);
  });
};

const collectProduct: Collect = (node, info, to) => {
  eachField(node.selectionSet, info, (field) => {
    if (field.name.value === 'variants') {
      collectVariant(field, info, to);
      return;
    }
    const needs = PRODUCT[field.name.value];
    if (needs === undefined) throw UNKNOWN;
    for (const column of needs.product ?? []) to.product.add(column);
    if (needs.variants === undefined) return;
    to.variants ??= new Set();
    for (const column of needs.variants) to.variants.add(column);
  });
};

const collectPage: Collect = (node, info, to) => {
  eachField(node.selectionSet, info, (field) => {
    const name = field.name.value;
    if (ABOUT_LIST.has(name)) return;
    if (name === 'nodes') collectProduct(field, info, to);
    else if (name === 'edges') {
      eachField(field.selectionSet, info, (part) => {
        if (part.name.value === 'node') collectProduct(part, info, to);
        else if (part.name.value === 'cursor') to.cursor = true;
        else if (part.name.value !== '__typename') throw UNKNOWN;
      });
    } else if (name === 'pageInfo') {
      eachField(field.selectionSet, info, (part) => {
        if (ABOUT_PLACE.has(part.name.value)) to.cursor = true;
      });
    } else throw UNKNOWN;
  });
};

function fields(collect: Collect): (info: Info) => ProductFields | null {
  // A node belongs to one document, so its fields are collected once.
  const known = new WeakMap<FieldNode, ProductFields | null>();
  const find = (info: Info): ProductFields | null => {
    const to: Collected = { product: new Set(), variants: null, cursor: false };
    try {
      for (const node of info.fieldNodes) collect(node, info, to);
      return to;
    } catch (error) {
      if (error === UNKNOWN) return null;
      throw error;
    }
  };
  return (info) => {
    const [node, other] = info.fieldNodes;
    if (node === undefined || other !== undefined) return find(info);
    let found = known.get(node);
    if (found === undefined) {
      found = find(info);
      known.set(node, found);
    }
    return found;
  };
}

/** What a field that gives one product needs of it; null: everything. */
export const fieldsOfProduct = fields(collectProduct);

/** What a field that gives a page of products needs of them; null: everything. */
export const fieldsOfPage = fields(collectPage);
