import { LiveBanner } from '../shared/components/live-banner.tsx';
import { HomePage } from './pages/home-page.tsx';

/** The shop window. */
export function Shop() {
  return (
    <>
      <LiveBanner />
      <HomePage />
    </>
  );
}
