import { useState, type FormEvent } from 'react';
import { Button } from '../../shared/components/button.tsx';
import { Field } from '../../shared/components/field.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { useLogIn } from '../../shared/log-in.ts';
import { sessionEnded } from '../../shared/session.ts';
import { useStore } from '../../shared/store.ts';
import { useTitle } from '../parts/title.ts';

/** The log-in of staff. The path of the page that was asked for does not change. */
export function LogIn({ shopName }: { shopName: string }) {
  useTitle('Log in');
  const { logIn, fetching, fault } = useLogIn();
  const ended = useStore(sessionEnded);
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  function submit(event: FormEvent) {
    event.preventDefault();
    void logIn(email, password);
  }
  return (
    <main className="door">
      <header>
        <p className="door-shop">{shopName}</p>
        <h1>Dashboard</h1>
        <p className="quiet">Orders, stock and customers of the shop, for its staff.</p>
      </header>
      {ended && <Notice>Your session has ended. Log in to return to this page.</Notice>}
      <form onSubmit={submit} noValidate>
        <Field
          label="E-mail"
          type="email"
          autoComplete="username"
          required
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
        <Field
          label="Password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        {fault !== null && <Notice tone="bad">{fault}</Notice>}
        <Button type="submit" busy={fetching}>
          Log in
        </Button>
      </form>
    </main>
  );
}
