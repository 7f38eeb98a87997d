import { Link } from 'wouter';
import type { StaffActionItemFragment } from '../../generated/graphql.ts';

/** What an action was done to, with a link where there is a page of it. */
export function ActionSubject({ subject }: { subject: StaffActionItemFragment['subject'] }) {
  if (subject == null) return null;
  switch (subject.__typename) {
    case 'Order':
      return <Link href={`/orders/${subject.number}`}>{subject.number}</Link>;
    case 'Product':
      return <span>{subject.title}</span>;
    case 'ProductVariant':
      return <Link href={`/stock/${encodeURIComponent(subject.sku)}`}>{subject.sku}</Link>;
    case 'Category':
      return <span>{subject.name}</span>;
    case 'Promotion':
      return <Link href={`/promotions/${encodeURIComponent(subject.id)}`}>{subject.title}</Link>;
    case 'ShippingZone':
      return <Link href={`/shipping/${encodeURIComponent(subject.id)}`}>{subject.zoneName}</Link>;
    case 'ShippingMethod':
      return subject.zone == null ? (
        <span>{subject.title}</span>
      ) : (
        <Link href={`/shipping/${encodeURIComponent(subject.zone.id)}`}>{subject.title}</Link>
      );
    case 'TaxCategory':
      return <Link href="/shipping">{subject.taxName}</Link>;
    case 'TaxRate':
      return <span>{`${subject.title} ${subject.percent} %`}</span>;
    case 'User':
      return <span>{subject.email}</span>;
    default:
      return null;
  }
}
