import { useState, type ReactNode } from 'react';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { formatTime } from '../../shared/format.ts';
import { refusalOf } from '../parts/refusal.ts';
import { Empty } from '../parts/states.tsx';

export interface RetryItem {
  id: string;
  name: string;
  at: string;
  detail: ReactNode;
}

/** What went wrong, item by item, each with a button that tries again. */
export function RetryList({
  items,
  none,
  retry,
}: {
  items: readonly RetryItem[];
  none: string;
  retry: (id: string) => Promise<Parameters<typeof refusalOf>[0]>;
}) {
  const [busy, setBusy] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  async function again(id: string) {
    setBusy(id);
    setFault(refusalOf(await retry(id)));
    setBusy(null);
  }
  if (items.length === 0 && fault === null) return <Empty>{none}</Empty>;
  return (
    <>
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      <ul className="actions">
        {items.map(({ id, name, at, detail }) => (
          <li key={id} className="retry">
            <div>
              <p>
                <strong>{name}</strong>
              </p>
              <p className="quiet small number">{formatTime(at)}</p>
              <p className="small">{detail}</p>
            </div>
            <Button look="second" className="button-small" busy={busy === id} onClick={() => void again(id)}>
              Retry
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}
