import { useMutation } from 'urql';
import { Button } from '../../shared/components/button.tsx';
import { graphql } from '../../shared/graphql.ts';

const END = graphql(`
  mutation AccountLogOutElsewhere($input: SessionEndInput!) {
    sessionEnd(input: $input) {
      endedId
    }
  }
`);

/** Ends the session of another device. */
export function LogOutElsewhere({ id, name, onDone }: { id: string; name: string; onDone: () => void }) {
  const [{ fetching }, end] = useMutation(END);
  return (
    <Button
      look="plain"
      busy={fetching}
      aria-label={`Log out ${name}`}
      onClick={() => void end({ input: { id } }).then(onDone)}
    >
      Log out
    </Button>
  );
}
