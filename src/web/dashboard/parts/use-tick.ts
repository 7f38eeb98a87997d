import { useEffect, useState } from 'react';
import { serverNow } from '../../shared/clock.ts';

/** The server's time, every `everyMs` milliseconds. Nothing is asked for: the page counts on its own. */
export function useTick(everyMs: number): number {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
