import { useState } from 'react';
import { useMutation } from 'urql';
import { graphql } from './graphql.ts';
import { beginSession } from './session.ts';

const LOG_IN = graphql(`
  mutation LogIn($input: LoginInput!) {
    login(input: $input) {
      accessTokenExpiresAt
      user {
        id
        role
      }
      cartNotices {
        message
      }
      errors {
        code
        message
      }
    }
  }
`);

const LOG_OUT = graphql(`
  mutation LogOut {
    logout {
      loggedOut
    }
  }
`);

/** The log-in, for both apps. `logIn` returns true if it succeeded; all pages have been reset by then. */
export function useLogIn() {
  const [{ fetching }, execute] = useMutation(LOG_IN);
  const [fault, setFault] = useState<string | null>(null);
  async function logIn(email: string, password: string): Promise<boolean> {
    setFault(null);
    const { data, error } = await execute({ input: { email, password } });
    const refusal = data?.login?.errors[0]?.message ?? error?.graphQLErrors[0]?.message;
    if (refusal !== undefined || data?.login == null) {
      setFault(refusal ?? 'The shop did not answer. Try again in a moment.');
      return false;
    }
    beginSession(data.login.accessTokenExpiresAt ?? null);
    return true;
  }
  return { logIn, fetching, fault };
}

/** Ends the session of this browser. */
export function useLogOut(): () => Promise<void> {
  const [, execute] = useMutation(LOG_OUT);
  return async () => {
    const { error } = await execute({});
    if (error === undefined) beginSession(null);
  };
}

/** Only a path of this site: `//elsewhere` leads to another one. */
export function ownPath(to: string | null, otherwise: string): string {
  return to !== null && /^\/(?![/\\])/.test(to) ? to : otherwise;
}
