import type { AccountSessionFragment } from '../../generated/graphql.ts';
import { formatTime } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { deviceName } from './device-name.ts';
import { LogOutElsewhere } from './log-out-elsewhere.tsx';

graphql(`
  fragment AccountSession on Session {
    id
    current
    lastUsedAt
    userAgent
  }
`);

/** Where the shopper is logged in. */
export function Devices({ sessions, onChange }: { sessions: readonly AccountSessionFragment[]; onChange: () => void }) {
  return (
    <section aria-labelledby="account-devices">
      <h2 id="account-devices">Devices</h2>
      <ul className="account-list">
        {sessions.map(({ id, current, lastUsedAt, userAgent }) => (
          <li key={id}>
            <span>
              {deviceName(userAgent ?? null)}
              <br />
              <span className="quiet small">{current ? 'This device' : `Last used ${formatTime(lastUsedAt)}`}</span>
            </span>
            {!current && <LogOutElsewhere id={id} name={deviceName(userAgent ?? null)} onDone={onChange} />}
          </li>
        ))}
      </ul>
    </section>
  );
}
