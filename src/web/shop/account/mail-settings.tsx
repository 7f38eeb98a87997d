import { useMutation } from 'urql';
import type { AccountMailSettingsFragment } from '../../generated/graphql.ts';
import { Notice } from '../../shared/components/notice.tsx';
import { graphql } from '../../shared/graphql.ts';
import { faultInWords } from '../components/fault.ts';

graphql(`
  fragment AccountMailSettings on NotificationSettings {
    orderStatus
    lowStock
    backInStock
  }
`);

const UPDATE = graphql(`
  mutation AccountMailSettingsUpdate($input: NotificationSettingsUpdateInput!) {
    notificationSettingsUpdate(input: $input) {
      user {
        id
        notificationSettings {
          ...AccountMailSettings
        }
      }
      errors {
        ...ShopFault
      }
    }
  }
`);

const KINDS = [
  { name: 'orderStatus', label: 'What becomes of my orders' },
  { name: 'lowStock', label: 'Something in my cart runs low' },
  { name: 'backInStock', label: 'What I wait for is back' },
] as const;

/** Which mails the shopper takes. */
export function MailSettings({ settings }: { settings: AccountMailSettingsFragment }) {
  const [{ data, error, fetching }, update] = useMutation(UPDATE);
  const asked = data !== undefined || error !== undefined;
  const fault = asked ? faultInWords(data?.notificationSettingsUpdate?.errors, error) : null;
  return (
    <section aria-labelledby="account-mails">
      <h2 id="account-mails">Mails</h2>
      {KINDS.map(({ name, label }) => (
        <label key={name} className="account-check">
          <input
            type="checkbox"
            checked={settings[name]}
            aria-busy={fetching}
            onChange={({ target }) => void update({ input: { [name]: target.checked } })}
          />
          <span>{label}</span>
        </label>
      ))}
      {fault !== null && <Notice tone="bad">{fault}</Notice>}
    </section>
  );
}
