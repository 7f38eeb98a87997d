import { useState } from 'react';
import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { faultInWords, faultOf } from '../components/fault.ts';
import { SmallForm } from './credentials-form.tsx';

const CHANGE = graphql(`
  mutation AccountPasswordChange($input: PasswordChangeInput!) {
    passwordChange(input: $input) {
      user {
        id
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

/** Changes the password of somebody who knows the present one. This device stays logged in, under a new session. */
export function PasswordForm({ onChanged }: { onChanged: () => void }) {
  const [{ data, error, fetching }, change] = useMutation(CHANGE);
  const [isOpen, setOpen] = useState(false);
  const errors = data?.passwordChange?.errors ?? [];
  const [current, next] = [faultOf(errors, 'currentPassword'), faultOf(errors, 'newPassword')];
  const isDone = data?.passwordChange?.user != null && !isOpen;
  async function submit({ currentPassword = '', newPassword = '' }: Record<string, string>) {
    const answer = await change({ input: { currentPassword, newPassword } });
    if (answer.data?.passwordChange?.user == null) return;
    setOpen(false);
    onChanged();
  }
  return (
    <section className="stack" aria-labelledby="account-password">
      <h2 id="account-password">Password</h2>
      {isDone && <Notice tone="good">Your password has been changed. Other devices are logged out.</Notice>}
      {isOpen ? (
        <SmallForm
          fields={[
            {
              name: 'currentPassword',
              label: 'Current password',
              type: 'password',
              autoComplete: 'current-password',
            },
            {
              name: 'newPassword',
              label: 'New password',
              type: 'password',
              autoComplete: 'new-password',
              hint: 'Ten characters or more. You are logged out on all other devices.',
            },
          ]}
          action="Change password"
          busy={fetching}
          faults={{ currentPassword: current, newPassword: next }}
          fault={
            (errors.length > 0 && current === null && next === null) || error !== undefined
              ? faultInWords(errors, error)
              : null
          }
          onSubmit={(values) => void submit(values)}
        >
          <Button look="plain" onClick={() => setOpen(false)}>
            Keep the password
          </Button>
        </SmallForm>
      ) : (
        <div>
          <Button look="second" onClick={() => setOpen(true)}>
            Change password
          </Button>
        </div>
      )}
    </section>
  );
}
