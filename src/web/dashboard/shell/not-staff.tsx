import { Button } from '../../shared/components/button.tsx';
import { useLogOut } from '../../shared/log-in.ts';
import { useTitle } from '../parts/title.ts';

/** For customers who open the dashboard. */
export function NotStaff({ shopName, email }: { shopName: string; email: string }) {
  useTitle('No access');
  const logOut = useLogOut();
  return (
    <main className="door">
      <header>
        <p className="door-shop">{shopName}</p>
        <h1>This page is for staff</h1>
      </header>
      <p>
        You are logged in as <strong>{email}</strong>, which is a customer account. Ask an administrator of the shop for
        access, or log in with another account.
      </p>
      <div className="row">
        <Button onClick={() => void logOut()}>Log out</Button>
        <a className="button button-second" href="/">
          To the shop
        </a>
      </div>
    </main>
  );
}
