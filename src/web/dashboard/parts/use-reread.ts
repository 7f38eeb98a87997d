import { useEffect, useEffectEvent } from 'react';

/** Events that come close together cause one reading. */
const TOGETHER_MS = 150;
/** A page in the background is read when it becomes visible. */
const isSeen = () => document.visibilityState === 'visible';

/**
 * Reads a page again after events whose effect on it only the shop knows, such as those on a filtered list or a sum. This is not
 * polling: without an event nothing is read.
 * @param listen subscribes to the events, and returns how to stop
 * @param togetherMs for how long events are gathered before the page is read, in milliseconds
 */
export function useReread(listen: (onEvent: () => void) => () => void, read: () => void, togetherMs = TOGETHER_MS) {
  const latest = useEffectEvent(read);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isDue = false;
    const readSoon = () => {
      isDue = true;
      if (!isSeen()) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        isDue = false;
        latest();
      }, togetherMs);
    };
    const onSeen = () => {
      if (isDue) readSoon();
    };
    const stop = listen(readSoon);
    document.addEventListener('visibilitychange', onSeen);
    return () => {
      clearTimeout(timer);
      stop();
      document.removeEventListener('visibilitychange', onSeen);
    };
  }, [listen, togetherMs]);
}
