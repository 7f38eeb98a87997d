import { Button, Heading, Img, Link, Section, Text } from '@react-email/components';
import type { ReactNode } from 'react';
import type { OrderView, ProductView } from '../letter-views.ts';
import { styles } from './style.ts';

/** A paragraph. */
export function Paragraph({ children }: { children: ReactNode }) {
  return (
    <Text className="ink" style={styles.paragraph}>
      {children}
    </Text>
  );
}

/** A paragraph that is less important. */
export function Quiet({ children }: { children: ReactNode }) {
  return (
    <Text className="quiet" style={styles.quiet}>
      {children}
    </Text>
  );
}

/** A heading within the letter. */
export function Subtitle({ children }: { children: ReactNode }) {
  return (
    <Heading as="h2" className="ink" style={styles.subtitle}>
      {children}
    </Heading>
  );
}

/** What the letter is there to have done. */
export function Action({ href, children }: { href: string; children: ReactNode }) {
  return (
    <Section style={styles.action}>
      <Button className="button" href={href} style={styles.button}>
        {children}
      </Button>
    </Section>
  );
}

/** A link within a text. */
export function Inline({ href, children }: { href: string; children: ReactNode }) {
  return (
    <Link className="quiet" href={href} style={styles.quietLink}>
      {children}
    </Link>
  );
}

/** Lines one below the other. */
export function Lines({ lines }: { lines: readonly string[] }) {
  return lines.map((line, index) => (
    <span key={index}>
      {index === 0 ? null : <br />}
      {line}
    </span>
  ));
}

/** A note that a person has written. */
export function Note({ lines }: { lines: readonly string[] }) {
  return (
    <Text className="ink note" style={styles.note}>
      <Lines lines={lines} />
    </Text>
  );
}

const PICTURE = 56;

function Picture({ url }: { url: string | null }) {
  // Said by the title beside it; so a picture that does not come leaves nothing behind.
  return url === null ? null : <Img src={url} alt="" width={PICTURE} height={PICTURE} style={styles.picture} />;
}

/** What was ordered, and what it comes to. */
export function OrderTable({
  order: { lines, parts, total },
}: {
  order: Pick<OrderView, 'lines' | 'parts' | 'total'>;
}) {
  return (
    <table className="lines" role="presentation" cellPadding={0} cellSpacing={0} style={styles.table}>
      <tbody>
        {lines.map((line, index) => (
          <tr key={index}>
            <td className="ink rule" style={styles.cell}>
              {line.title}
              <br />
              <span className="quiet" style={styles.small}>
                {line.quantity} · {line.sku}
              </span>
            </td>
            <td className="ink rule" width={AMOUNT} style={{ ...styles.cell, ...styles.amount }}>
              {line.total}
            </td>
          </tr>
        ))}
        {parts.map((part, index) => (
          <tr key={`part-${index}`}>
            <td className="quiet rule" style={styles.cell}>
              {part.title}
            </td>
            <td className="quiet rule" width={AMOUNT} style={{ ...styles.cell, ...styles.amount }}>
              {part.amount}
            </td>
          </tr>
        ))}
        <tr>
          <td className="ink rule" style={{ ...styles.cell, ...styles.totalCell }}>
            Total
          </td>
          <td className="ink rule" width={AMOUNT} style={{ ...styles.cell, ...styles.amount, ...styles.totalCell }}>
            {total}
          </td>
        </tr>
      </tbody>
    </table>
  );
}

const AMOUNT = 110;

/** One product, with its picture where it has one. */
export function Product({ product }: { product: ProductView }) {
  const { url, title } = product;
  return (
    <table role="presentation" cellPadding={0} cellSpacing={0} style={styles.product}>
      <tbody>
        <tr>
          {product.picture === null ? null : (
            <td width={PICTURE} style={{ ...styles.pictureCell, width: PICTURE }}>
              <Picture url={product.picture} />
            </td>
          )}
          <td className="ink" style={{ ...styles.paragraph, fontWeight: 600, margin: 0 }}>
            {url === null ? (
              title
            ) : (
              <Link className="ink" href={url} style={styles.link}>
                {title}
              </Link>
            )}
          </td>
        </tr>
      </tbody>
    </table>
  );
}
