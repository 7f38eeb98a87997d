import type { CartDetailsFragment } from '../../generated/graphql.ts';
import { Icon } from '../../shared/components/icon.tsx';
import { formatCountdown } from '../../shared/format.ts';
import { useMsLeft } from './cart-state.ts';
import './countdown.css';

const SOON_MS = 120_000;

/** How long the cart's units are held, by the server's clock. */
export function Countdown({ cart }: { cart: Pick<CartDetailsFragment, 'expiresAt'> }) {
  const ms = useMsLeft(cart.expiresAt);
  if (ms === null || ms === 0) return null;
  const soon = ms < SOON_MS;
  return (
    <p className={`countdown ${soon ? 'countdown-soon' : ''}`}>
      <Icon name="clock" size={18} />
      <span>
        Held for you for <strong className="number">{formatCountdown(ms)}</strong>
      </span>
      {/* Once, and not each second. */}
      <span role="status" className="visually-hidden">
        {soon ? 'Less than two minutes are left.' : ''}
      </span>
    </p>
  );
}
