import {
  GraphQLError,
  Kind,
  OperationTypeNode,
  type FragmentDefinitionNode,
  type SelectionSetNode,
  type ValidationRule,
} from 'graphql';

const CONDITIONS: ReadonlySet<string> = new Set(['skip', 'include']);

/**
 * Refuses `@skip` and `@include` on the root field of a subscription, and on fragments around it: without its field there is
 * nothing to subscribe to. Later editions of the specification say so too; graphql-js 16 does not look.
 */
export const noConditionalSubscriptions: ValidationRule = (context) => ({
  OperationDefinition({ operation, selectionSet }) {
    if (operation !== OperationTypeNode.SUBSCRIPTION) return;
    const seen = new Set<FragmentDefinitionNode>();
    const check = ({ selections }: SelectionSetNode): void => {
      for (const selection of selections) {
        const directive = selection.directives?.find(({ name }) => CONDITIONS.has(name.value));
        if (directive !== undefined) {
          const message = `The directive \`@${directive.name.value}\` is not allowed on the root field of a subscription.`;
          context.reportError(new GraphQLError(message, { nodes: directive }));
        }
        if (selection.kind === Kind.INLINE_FRAGMENT) check(selection.selectionSet);
        if (selection.kind !== Kind.FRAGMENT_SPREAD) continue;
        const fragment = context.getFragment(selection.name.value);
        if (fragment == null || seen.has(fragment)) continue;
        seen.add(fragment);
        check(fragment.selectionSet);
      }
    };
    check(selectionSet);
  },
});
