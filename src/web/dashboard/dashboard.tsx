import { useState, type FormEvent } from 'react';
import { useQuery } from 'urql';
import { Button } from '../shared/components/button.tsx';
import { Field } from '../shared/components/field.tsx';
import { LiveBanner } from '../shared/components/live-banner.tsx';
import { Notice } from '../shared/components/notice.tsx';
import { graphql } from '../shared/graphql.ts';
import { useLogIn, useLogOut } from '../shared/log-in.ts';
import './dashboard.css';

const STAFF = graphql(`
  query DashboardStaff {
    me {
      id
      name
      role
    }
    shop {
      name
    }
  }
`);

/** Staff see the dashboard; everyone else the log-in. */
export function Dashboard() {
  const [{ data, fetching }] = useQuery({ query: STAFF });
  const logOut = useLogOut();
  if (fetching || data === undefined) return null;
  const { me, shop } = data;
  if (me == null) return <LogIn shopName={shop.name} />;
  return (
    <>
      <LiveBanner />
      <main className="dashboard-door">
        <h1>{shop.name}</h1>
        {me.role === 'CUSTOMER' ? <p>This account is not one of the staff.</p> : <p>Welcome, {me.name}.</p>}
        <Button look="second" onClick={() => void logOut()}>
          Log out
        </Button>
      </main>
    </>
  );
}

function LogIn({ shopName }: { shopName: string }) {
  const { logIn, fetching, fault } = useLogIn();
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  function submit(event: FormEvent) {
    event.preventDefault();
    void logIn(email, password);
  }
  return (
    <main className="dashboard-door">
      <h1>{shopName}: staff</h1>
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
