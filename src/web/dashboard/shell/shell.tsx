import { useEffect, useRef, type ReactNode } from 'react';
import { Link, useRoute } from 'wouter';
import { Button } from '../../shared/components/button.tsx';
import { Icon } from '../../shared/components/icon.tsx';
import { LiveBanner } from '../../shared/components/live-banner.tsx';
import { liveness } from '../../shared/connection.ts';
import { useLogOut } from '../../shared/log-in.ts';
import { useStore } from '../../shared/store.ts';
import { inWords } from '../parts/badge.tsx';
import { OrderNews } from './order-news.tsx';
import { muted, setMuted } from './sound.ts';
import './shell.css';

const NAVIGATION = [
  ['/', 'Overview'],
  ['/orders', 'Orders'],
  ['/payments', 'Payments'],
  ['/stock', 'Stock'],
  ['/catalogue', 'Catalogue'],
  ['/promotions', 'Promotions'],
  ['/shipping', 'Shipping and tax'],
  ['/customers', 'Customers'],
  ['/activity', 'Activity'],
  ['/system', 'System'],
] as const;

/** What stands around each page: the navigation, the news of orders, and whether the page is live. */
export function Shell({
  shop,
  me,
  cursor,
  children,
}: {
  shop: { name: string };
  me: { name: string; role: string };
  cursor: string;
  children: ReactNode;
}) {
  const logOut = useLogOut();
  const isMuted = useStore(muted);
  return (
    <>
      <a className="skip" href="#page">
        Skip to the page
      </a>
      <LiveBanner />
      <div className="shell">
        <header className="shell-side">
          <div className="shell-name">
            <a href="/" className="shell-shop">
              {shop.name}
            </a>
            <Live />
          </div>
          <nav aria-label="Dashboard" className="shell-nav">
            <ul>
              {NAVIGATION.map(([path, name]) => (
                <li key={path}>
                  <NavigationLink path={path}>{name}</NavigationLink>
                </li>
              ))}
            </ul>
          </nav>
          <div className="shell-foot">
            <p className="shell-me">
              <strong>{me.name}</strong>
              <span className="quiet small">{inWords(me.role)}</span>
            </p>
            <Button
              look="icon"
              aria-label={isMuted ? 'Turn on the sound of new orders' : 'Mute the sound of new orders'}
              title={isMuted ? 'Sound is off' : 'Sound is on'}
              onClick={() => setMuted(!isMuted)}
            >
              <Icon name={isMuted ? 'mute' : 'sound'} />
            </Button>
            <Button look="plain" onClick={() => void logOut()}>
              Log out
            </Button>
          </div>
        </header>
        <main id="page" tabIndex={-1} className="shell-page">
          {children}
        </main>
      </div>
      <OrderNews cursor={cursor} />
    </>
  );
}

function NavigationLink({ path, children }: { path: string; children: string }) {
  const [isHere] = useRoute(path === '/' ? '/' : `${path}/*?`);
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    // On a narrow screen the links are one row, which is wider than the screen.
    if (isHere) link.current?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [isHere]);
  return (
    <Link ref={link} href={path} aria-current={isHere ? 'page' : undefined}>
      {children}
    </Link>
  );
}

/** Whether what the page shows moves by itself. */
function Live() {
  const state = useStore(liveness);
  return (
    <span className={`live live-${state}`}>
      <span aria-hidden="true" className="live-dot" />
      {state === 'live' ? 'Live' : state === 'away' ? 'Not live' : 'Connecting'}
    </span>
  );
}
