import { Body, Container, Head, Heading, Hr, Html, Link, Section, Text } from '@react-email/components';
import type { ReactNode } from 'react';
import { palette, styles } from './style.ts';

/** What every letter has around it. */
export interface Frame {
  shopName: string;
  /** The storefront's front page; null where there is none. */
  homeUrl: string | null;
  /** Null where the mail is a needed one. */
  unsubscribeUrl: string | null;
}

// Mail programs that know it turn the letter dark; inline styles give way to it alone.
const CSS = `.page { background-color: ${palette.page}; }
@media (prefers-color-scheme: dark) {
  .page { background-color: ${palette.dark.page} !important; }
  .card { background-color: ${palette.dark.card} !important; border-color: ${palette.dark.line} !important; }
  .ink { color: ${palette.dark.ink} !important; }
  .quiet { color: ${palette.dark.quiet} !important; }
  .rule { border-color: ${palette.dark.line} !important; }
  .button { background-color: ${palette.dark.ink} !important; color: ${palette.dark.card} !important; }
  .note { background-color: ${palette.dark.page} !important; }
}
@media (max-width: 480px) {
  .card { padding: 24px 20px !important; }
}`;

/** Most characters that mail programs show of a letter beside its subject. */
const PREVIEW_LENGTH = 150;
// As entities: what is not ASCII takes longer to encode for the wire than everything else in a letter.
const FILLER = '&#160;&#8204;&#8203;&#8205;&#8206;&#8207;&#65279;';
const hidden = { display: 'none', overflow: 'hidden', lineHeight: '1px', opacity: 0, maxHeight: 0, maxWidth: 0 };

/** What mail programs show beside the subject. Invisible characters keep the text of the letter from being shown after it. */
function Preview({ children }: { children: string }) {
  const text = children.slice(0, PREVIEW_LENGTH);
  return (
    <div style={hidden} data-skip-in-text="true">
      {text}
      <div dangerouslySetInnerHTML={{ __html: FILLER.repeat(PREVIEW_LENGTH - text.length) }} />
    </div>
  );
}

/** A letter: the shop's name, what there is to say, and why one gets it. */
export function Layout(props: { frame: Frame; preview: string; title: string; why: string; children: ReactNode }) {
  const { frame, preview, title, why, children } = props;
  return (
    <Html lang="en" dir="ltr">
      <Head>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="supported-color-schemes" content="light dark" />
        {/* Numbers and addresses stay text where a mail program listens. */}
        <meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no" />
        <title>{title}</title>
        <style>{CSS}</style>
      </Head>
      <Preview>{preview}</Preview>
      {/* Body puts its styles on a cell inside, which no class of ours reaches: so the page has a section of its own. */}
      <Body className="page" style={styles.body}>
        <Section className="page" style={styles.page}>
          <Container style={styles.container}>
            <Section style={styles.head}>
              {frame.homeUrl === null ? (
                <Text className="ink" style={styles.shop}>
                  {frame.shopName}
                </Text>
              ) : (
                <Link className="ink" href={frame.homeUrl} style={styles.shop}>
                  {frame.shopName}
                </Link>
              )}
            </Section>
            <Section className="card" style={styles.card}>
              <Heading as="h1" className="ink" style={styles.title}>
                {title}
              </Heading>
              {children}
            </Section>
            <Section style={styles.foot}>
              <Hr className="rule" style={styles.hiddenRule} />
              <Text className="quiet" style={styles.quiet}>
                {why}
              </Text>
              {frame.unsubscribeUrl === null ? null : (
                <Text className="quiet" style={styles.quiet}>
                  <Link className="quiet" href={frame.unsubscribeUrl} style={styles.quietLink}>
                    Unsubscribe from emails of this kind
                  </Link>
                </Text>
              )}
            </Section>
          </Container>
        </Section>
      </Body>
    </Html>
  );
}
