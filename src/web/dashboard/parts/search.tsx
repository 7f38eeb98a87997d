import { useEffect, useId, useRef, useState } from 'react';
import { usePlace } from './place.ts';

const AFTER_TYPING_MS = 200;

/** Searches as one types; the words are the parameter `q` of the address. */
export function Search({ label, placeholder }: { label: string; placeholder?: string }) {
  const { get, set } = usePlace();
  const id = useId();
  const asked = get('q');
  const [typed, setTyped] = useState(asked);
  const own = useRef(asked);
  // The address changes also by the way back; what this field itself has put there may be older than what is typed by now.
  useEffect(() => {
    if (asked === own.current) return;
    own.current = asked;
    setTyped(asked);
  }, [asked]);
  useEffect(() => {
    const words = typed.trim();
    if (words === own.current) return () => {};
    const timer = setTimeout(() => {
      own.current = words;
      set({ q: words }, { replace: true });
    }, AFTER_TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <div className="field search">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type="search"
        maxLength={200}
        placeholder={placeholder}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </div>
  );
}
