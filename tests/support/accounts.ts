import { graphql } from '../generated/gql/index.ts';
import type { LoginInput, PersonAuthFragment, RegisterInput } from '../generated/gql/graphql.ts';
import type { Answer, Client } from './client.ts';
import { known } from './known.ts';
import { rowId } from './shopper.ts';
import { createApiNode, type TestShop } from './shop.ts';

graphql(`
  fragment PersonError on UserError {
    __typename
    code
    message
    path
    ... on LimitExceededError {
      limit
      requested
      variant {
        sku
      }
    }
  }
`);

graphql(`
  fragment PersonAuth on AuthPayload {
    user {
      id
      email
      name
      role
      emailVerified
    }
    accessToken
    accessTokenExpiresAt
    refreshToken
    cart {
      ...ShopperCart
    }
    cartNotices {
      ...PersonError
    }
    errors {
      ...PersonError
    }
  }
`);

/** What somebody with an account can say, as typed documents. */
export const accountDocuments = {
  me: graphql(`
    query PersonMe {
      me {
        id
        email
      }
    }
  `),
  sessions: graphql(`
    query PersonSessions {
      me {
        sessions {
          id
          userAgent
          createdAt
          lastUsedAt
          expiresAt
          current
        }
      }
    }
  `),
  register: graphql(`
    mutation PersonRegister($input: RegisterInput!) {
      register(input: $input) {
        ...PersonAuth
      }
    }
  `),
  login: graphql(`
    mutation PersonLogin($input: LoginInput!) {
      login(input: $input) {
        ...PersonAuth
      }
    }
  `),
  refresh: graphql(`
    mutation PersonRefresh($input: RefreshSessionInput) {
      refreshSession(input: $input) {
        ...PersonAuth
      }
    }
  `),
  logout: graphql(`
    mutation PersonLogout($everywhere: Boolean) {
      logout(input: { everywhere: $everywhere }) {
        loggedOut
        errors {
          ...PersonError
        }
      }
    }
  `),
  requestReset: graphql(`
    mutation PersonResetRequest($email: String!) {
      passwordResetRequest(input: { email: $email }) {
        accepted
        errors {
          ...PersonError
        }
      }
    }
  `),
  reset: graphql(`
    mutation PersonReset($input: PasswordResetInput!) {
      passwordReset(input: $input) {
        ...PersonAuth
      }
    }
  `),
  changePassword: graphql(`
    mutation PersonChangePassword($input: PasswordChangeInput!) {
      passwordChange(input: $input) {
        user {
          id
        }
        accessToken
        refreshToken
        errors {
          ...PersonError
        }
      }
    }
  `),
};

export const PASSWORD = 'a long enough password';

/** One more node of the same shop, as on another machine: what happens on the one reaches the other through the log. */
export function openNode(shop: TestShop, env: NodeJS.ProcessEnv = {}): Promise<TestShop> {
  const { database } = shop.config;
  if (database.kind !== 'url') throw new Error('the shop has its own database');
  return createApiNode({ env, database: { url: database.url, dispose: () => Promise.resolve() } });
}

let count = 0;

/** An address that nobody had before. */
export function newEmail(): string {
  count += 1;
  return `person-${count}-${Date.now()}@example.com`;
}

export type Auth = PersonAuthFragment;

/** Registers; the tokens come in the body by default. */
export async function register(client: Client, input: Partial<RegisterInput> = {}): Promise<Auth> {
  const account: RegisterInput = { email: newEmail(), password: PASSWORD, name: 'Ada', tokens: 'BODY', ...input };
  return known((await client.data(accountDocuments.register, { input: account })).register);
}

/** Logs in, likewise. */
export async function login(client: Client, input: Partial<LoginInput> & { email: string }): Promise<Auth> {
  const credentials: LoginInput = { password: PASSWORD, tokens: 'BODY', ...input };
  return known((await client.data(accountDocuments.login, { input: credentials })).login);
}

/** Somebody with an account, logged in by header. */
export interface Person {
  client: Client;
  email: string;
  userId: string;
  accessToken: string;
  refreshToken: string;
}

/** A new account, logged in by header. */
export async function newPerson(shop: TestShop, input: Partial<RegisterInput> = {}): Promise<Person> {
  const email = input.email ?? newEmail();
  const auth = await register(shop.client(), { ...input, email });
  return personOf(shop, email, auth);
}

/** Who was admitted so, as a caller by header. */
export function personOf(shop: TestShop, email: string, auth: Auth): Person {
  const accessToken = known(auth.accessToken, `an access token (${JSON.stringify(auth.errors)})`);
  return {
    client: shop.client({ headers: bearer(accessToken) }),
    email,
    userId: known(auth.user).id,
    accessToken,
    refreshToken: known(auth.refreshToken),
  };
}

/** The header that names a user. */
export function bearer(accessToken: string): { authorization: string } {
  return { authorization: `Bearer ${accessToken}` };
}

/** Asks for new tokens by the token given. */
export async function refresh(client: Client, refreshToken: string): Promise<Auth> {
  return known((await client.data(accountDocuments.refresh, { input: { refreshToken } })).refreshSession);
}

/** The codes of a payload's errors, each with its path. */
export function faultsOf(auth: { errors: readonly { code: string; path: string[] | null }[] } | null | undefined) {
  return known(auth).errors.map(({ code, path }): [string, string | null] => [code, path?.join('.') ?? null]);
}

/** Who the shop thinks is asking: an e-mail address, nobody (null), or the codes with which it refuses to say. */
export async function whoIs(client: Client, headers?: Record<string, string>): Promise<string | null | string[]> {
  const answer: Answer<{ me?: { email: string } | null }> = await client.execute(
    accountDocuments.me,
    {},
    headers === undefined ? {} : { headers },
  );
  return answer.errors === undefined ? (answer.data?.me?.email ?? null) : [String(answer.status), ...answer.codes];
}

/** Somebody who works here, logged in by header. */
export async function newStaff(shop: TestShop, role: 'STAFF' | 'ADMIN' = 'STAFF'): Promise<Person> {
  const person = await newPerson(shop, { name: role === 'ADMIN' ? 'Grace' : 'Edsger' });
  await shop.db.query({ name: 'fixture_role', text: 'UPDATE users SET role = $2 WHERE id = $1' }, [
    rowId(person.userId),
    role,
  ]);
  return person;
}

/** Asks for a link to choose a new password, as anybody can, and gives the token that the mail will have. */
export async function resetToken(shop: TestShop, email: string): Promise<string> {
  await shop.client().data(accountDocuments.requestReset, { email });
  const rows = await shop.db.query<{ id: string }>(
    {
      name: 'fixture_reset',
      text: 'SELECT r.id FROM password_resets r JOIN users u ON u.id = user_id WHERE lower(email) = lower($1) ORDER BY r.id DESC LIMIT 1',
    },
    [email],
  );
  return known(await shop.app.services.accounts.passwordResetToken(known(rows[0]).id));
}
