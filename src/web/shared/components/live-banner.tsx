import { useEffect, useState } from 'react';
import { liveness } from '../connection.ts';
import { useStore } from '../store.ts';
import './live-banner.css';

/** A socket that is back sooner than this was never missed. */
const SHOWN_AFTER_MS = 1500;

/** Says that the page may be out of date, for as long as it may be. */
export function LiveBanner() {
  const away = useStore(liveness) === 'away';
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!away) setShown(false);
    if (!away) return () => {};
    const timer = setTimeout(() => setShown(true), navigator.onLine ? SHOWN_AFTER_MS : 0);
    return () => clearTimeout(timer);
  }, [away]);
  return (
    <div role="status" className="live-banner-place">
      {shown && (
        <p className="live-banner">
          {navigator.onLine ? 'The connection to the shop is interrupted.' : 'You are offline.'} What you see may be out
          of date; it is brought up to date when the connection returns.
        </p>
      )}
    </div>
  );
}
