import { useState } from 'react';
import { Link } from 'wouter';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import { Status } from '../parts/badge.tsx';
import { Page, Panel } from '../parts/page.tsx';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { ArchiveProduct } from './archive.tsx';
import { useProductChanges } from './product-changes.ts';
import { ProductForm } from './product-form.tsx';
import { VariantDrawer } from './variant-drawer.tsx';
import { VariantTable } from './variant-table.tsx';
import './catalogue.css';

const PRODUCT = graphql(`
  query StaffProductPage($id: ID!) {
    eventCursor(for: "ProductPage")
    product(id: $id) {
      ...StaffProduct
      options {
        name
      }
      variants {
        ...StaffVariant
      }
    }
  }
`);

/** A product, to be edited with its variants. What others change meanwhile shows at once. */
export function ProductPage({ id }: { id: string }) {
  const [{ data, error, fetching }, reread] = usePage(PRODUCT, { id });
  const [editing, setEditing] = useState<string | null>(null);
  useProductChanges([id], data?.eventCursor);
  const product = data?.product;
  const back = (
    <Link href="/catalogue" className="button button-second">
      All products
    </Link>
  );
  if (product == null) {
    return (
      <Page title="Product" actions={back}>
        {error !== undefined && <Fault error={error} retry={reread} />}
        {error === undefined && fetching && <Loading />}
        {error === undefined && !fetching && <Empty>There is no such product.</Empty>}
      </Page>
    );
  }
  const names = product.variants[0]?.selectedOptions.map(({ name }) => name) ?? [];
  return (
    <Page
      title={product.title}
      lead={
        <span className="row">
          <Status of={product.status} />
          {product.status === 'ACTIVE' && <a href={`/products/${product.slug}`}>See it in the shop</a>}
        </span>
      }
      actions={back}
    >
      <Panel title="Variants">
        <VariantTable
          variants={product.variants}
          isAlone={product.variants.length === 1}
          canAdd={names.length > 0}
          onEdit={setEditing}
        />
      </Panel>
      <Panel title="Product">
        <ProductForm product={product} />
      </Panel>
      {product.status !== 'ARCHIVED' && <ArchiveProduct id={product.id} />}
      <VariantDrawer
        productId={product.id}
        variants={product.variants}
        optionNames={names}
        open={editing}
        onClose={() => setEditing(null)}
      />
    </Page>
  );
}
