import { useEffect, useRef, useState } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import type { CartDetailsFragment } from '../../generated/graphql.ts';
import { Icon } from '../../shared/components/icon.tsx';
import { formatCountdown } from '../../shared/format.ts';
import { cartOpen, isExpired, useMsLeft } from '../cart/cart-state.ts';
import { useShopName } from './shop-name.ts';
import './header.css';

/** So long after the last key a search begins: a word is rarely finished sooner. */
const TYPING_MS = 180;

export function Header({ cart, name }: { cart: CartDetailsFragment | null; name: string | null }) {
  const shopName = useShopName();
  return (
    <header className="header">
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Link className="header-name" href="/">
        <svg aria-hidden="true" width="26" height="30" viewBox="0 0 26 30">
          <path d="M13 1l12 7v14l-12 7l-12-7V8z" fill="var(--honey)" />
          <path
            d="M8 10.5l5 10l5-10"
            fill="none"
            stroke="#2b2118"
            strokeWidth="2.6"
            strokeLinecap="round"
            strokeLinejoin="round"
          />
        </svg>
        {shopName}
      </Link>
      <SearchField />
      <nav className="header-links" aria-label="Shop">
        <Link className="button button-plain header-products" href="/products">
          Products
        </Link>
        <Link
          className="button button-icon"
          href={name === null ? '/log-in' : '/account'}
          aria-label={name === null ? 'Log in' : 'Account'}
        >
          <Icon name="person" />
        </Link>
        <CartButton cart={cart} />
      </nav>
    </header>
  );
}

function CartButton({ cart }: { cart: CartDetailsFragment | null }) {
  const live = cart !== null && cart.status === 'ACTIVE' && cart.lines.length > 0;
  const ms = useMsLeft(live ? cart.expiresAt : null);
  const count = live && !isExpired(cart) ? cart.totalQuantity : 0;
  const words = count === 0 ? 'Cart' : `Cart, ${count} ${count === 1 ? 'item' : 'items'}`;
  return (
    <button type="button" className="button header-cart" onClick={() => cartOpen.set(true)}>
      <Icon name="bag" />
      <span className="visually-hidden">{words}</span>
      {count > 0 && (
        <>
          <span className="header-count number" aria-hidden="true">
            {count}
          </span>
          {ms !== null && (
            <span className="header-time number" aria-hidden="true">
              {formatCountdown(ms)}
            </span>
          )}
        </>
      )}
    </button>
  );
}

/** Searches as one types: the list of products is the answer. */
function SearchField() {
  const [path, navigate] = useLocation();
  const [params] = useSearchParams();
  const searched = path === '/products' ? (params.get('q') ?? '') : '';
  const [text, setText] = useState(searched);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const typed = useRef(searched);
  useEffect(() => {
    // What the address says, unless it says what was typed here.
    if (searched !== typed.current) setText(searched);
    typed.current = searched;
  }, [searched]);

  function search(words: string, delay: number): void {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      typed.current = words.trim();
      const on = path === '/products';
      if (typed.current === '' && !on) return;
      const next = new URLSearchParams(on ? location.search : '');
      if (typed.current === '') next.delete('q');
      else next.set('q', typed.current);
      // One step back leads out of the search, not through its letters.
      navigate(`/products${next.size === 0 ? '' : `?${next}`}`, { replace: on });
    }, delay);
  }
  return (
    <search className="header-search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          search(text, 0);
        }}
      >
        <Icon name="search" size={20} />
        <input
          type="search"
          aria-label="Search products"
          placeholder="Search"
          autoComplete="off"
          maxLength={200}
          value={text}
          onChange={({ target }) => {
            setText(target.value);
            search(target.value, TYPING_MS);
          }}
        />
      </form>
    </search>
  );
}
