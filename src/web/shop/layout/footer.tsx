import { Link } from 'wouter';
import { useShopName } from './shop-name.ts';
import './footer.css';

export function Footer() {
  return (
    <footer className="footer">
      <p className="footer-name">{useShopName()}</p>
      <nav aria-label="More">
        <ul>
          <li>
            <Link href="/products">All products</Link>
          </li>
          <li>
            <Link href="/account">Your account</Link>
          </li>
          <li>
            <Link href="/cart">Your cart</Link>
          </li>
        </ul>
      </nav>
      <p className="quiet small">Levels and prices on these pages change as they change in the shop.</p>
    </footer>
  );
}
