import { useEffect, useLayoutEffect, useRef } from 'react';
import { useLocation } from 'wouter';

/*
 * Where a page was left, it is found again: lists are long, and load as they are read. A page that is opened begins at its top,
 * and there the keyboard goes on, too.
 */

const places = new Map<string, number>();
const PATIENCE_MS = 1500;

const here = () => location.pathname + location.search;

/** Whether the way led back or forth to where the page is now. */
let popped = false;
// Before the router listens, which draws the page at once.
window.addEventListener('popstate', () => (popped = true));

/** Stands once in the shop. */
export function Scroll() {
  const [path] = useLocation();
  const left = useRef(here());

  useEffect(() => {
    history.scrollRestoration = 'manual';
    const onScroll = () => places.set(here(), window.scrollY);
    window.addEventListener('scroll', onScroll, { passive: true });
    return () => {
      window.removeEventListener('scroll', onScroll);
    };
  }, []);

  useLayoutEffect(() => {
    if (left.current === here()) return () => {};
    left.current = here();
    const wanted = popped ? (places.get(here()) ?? 0) : 0;
    if (!popped) document.querySelector<HTMLElement>('main')?.focus({ preventScroll: true });
    popped = false;
    window.scrollTo(0, wanted);
    // The page may not be as long as it was yet.
    const until = performance.now() + PATIENCE_MS;
    let frame = 0;
    const again = () => {
      if (Math.abs(window.scrollY - wanted) < 2 || performance.now() > until) return;
      window.scrollTo(0, wanted);
      frame = requestAnimationFrame(again);
    };
    frame = requestAnimationFrame(again);
    const stop = () => cancelAnimationFrame(frame);
    for (const name of ['wheel', 'touchstart', 'keydown']) window.addEventListener(name, stop, { once: true });
    return stop;
  }, [path]);
  return null;
}
