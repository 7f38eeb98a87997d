import { useState } from 'react';
import { Link } from 'wouter';
import { useMutation } from 'urql';
import { Notice } from '../../shared/components/notice.tsx';
import { formatDate } from '../../shared/format.ts';
import { graphql } from '../../shared/graphql.ts';
import { usePage } from '../../shared/use-live.ts';
import type { Role } from '../../generated/graphql.ts';
import { Page } from '../parts/page.tsx';
import { Pager } from '../parts/pager.tsx';
import { pageArguments, usePlace } from '../parts/place.ts';
import { refusalOf } from '../parts/refusal.ts';
import { Search } from '../parts/search.tsx';
import { Select } from '../parts/select.tsx';
import { Empty, Fault, Loading } from '../parts/states.tsx';
import { TablePlace } from '../parts/table-place.tsx';

const CUSTOMERS = graphql(`
  query StaffCustomersPage($search: String, $first: Int, $last: Int, $after: String, $before: String) {
    users(search: $search, first: $first, last: $last, after: $after, before: $before) {
      nodes {
        id
        name
        email
        emailVerified
        role
        createdAt
      }
      pageInfo {
        hasNextPage
        hasPreviousPage
        startCursor
        endCursor
      }
    }
  }
`);

const ROLE_UPDATE = graphql(`
  mutation StaffUserRoleUpdate($input: UserRoleUpdateInput!) {
    userRoleUpdate(input: $input) {
      user {
        id
        role
      }
      errors {
        message
      }
    }
  }
`);

const ROLES = [
  ['CUSTOMER', 'Customer'],
  ['STAFF', 'Staff'],
  ['ADMIN', 'Administrator'],
] as const satisfies readonly (readonly [Role, string])[];

/** Accounts and their roles, for administrators. */
export function CustomersPage({ me }: { me: { id: string; role: string } }) {
  if (me.role !== 'ADMIN') {
    return (
      <Page title="Customers">
        <Empty>
          Only administrators see accounts and their roles. The customer of an order is on the page of the order.
        </Empty>
      </Page>
    );
  }
  return <Accounts me={me} />;
}

function Accounts({ me }: { me: { id: string } }) {
  const { get } = usePlace();
  const search = get('q');
  const [{ data, error, stale }, reread] = usePage(CUSTOMERS, {
    ...(search === '' ? {} : { search }),
    ...pageArguments(get),
  });
  const [{ fetching }, updateRole] = useMutation(ROLE_UPDATE);
  const [fault, setFault] = useState<string | null>(null);
  const users = data?.users;
  async function change(userId: string, role: Role) {
    if (fetching) return;
    setFault(refusalOf(await updateRole({ input: { userId, role } })));
  }
  return (
    <Page title="Customers" lead="Accounts and their roles. A change of role ends the sessions of the account.">
      <form role="search" className="filters" onSubmit={(event) => event.preventDefault()}>
        <Search label="Search" placeholder="Name or e-mail" />
      </form>
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
      {error !== undefined && users == null && <Fault error={error} retry={reread} />}
      {users == null && error === undefined && <Loading />}
      {users != null && users.nodes.length === 0 && <Empty>No account matches.</Empty>}
      {users != null && users.nodes.length > 0 && (
        <TablePlace label="Accounts" busy={stale}>
          <table className="table">
            <caption className="visually-hidden">Accounts</caption>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">E-mail</th>
                <th scope="col">Since</th>
                <th scope="col">Role</th>
              </tr>
            </thead>
            <tbody>
              {users.nodes.map(({ id, name, email, emailVerified, role, createdAt }) => (
                <tr key={id}>
                  <th scope="row" className="long">
                    {name}
                  </th>
                  <td className="long">
                    <Link href={`/orders?q=${encodeURIComponent(email)}`}>{email}</Link>
                    {!emailVerified && <span className="quiet small block">Not confirmed</span>}
                  </td>
                  <td className="number small">{formatDate(createdAt)}</td>
                  <td>
                    {id === me.id ? (
                      'You'
                    ) : (
                      <Select
                        label={`Role of ${email}`}
                        isLabelHidden
                        value={role}
                        options={ROLES}
                        onChange={(next) => void change(id, next)}
                      />
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TablePlace>
      )}
      {users != null && <Pager info={users.pageInfo} of="accounts" />}
    </Page>
  );
}
