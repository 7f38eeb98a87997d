import { Kind, type DocumentNode, type OperationDefinitionNode, type SelectionSetNode } from 'graphql';

// Yoga caches parsed documents, so results per document can be cached, too.
const known = new WeakMap<OperationDefinitionNode, ReadonlySet<string>>();

/** The fields that an operation selects at its root, by their own names, in fragments too. */
export function rootFields(document: DocumentNode, operation: OperationDefinitionNode): ReadonlySet<string> {
  let names = known.get(operation);
  if (names === undefined) {
    const found = new Set<string>();
    collect(document, operation.selectionSet, new Set(), found);
    names = found;
    known.set(operation, names);
  }
  return names;
}

function collect(
  document: DocumentNode,
  { selections }: SelectionSetNode,
  visited: Set<string>,
  found: Set<string>,
): void {
  for (const selection of selections) {
    if (selection.kind === Kind.FIELD) {
      found.add(selection.name.value);
    } else if (selection.kind === Kind.INLINE_FRAGMENT) {
      collect(document, selection.selectionSet, visited, found);
    } else if (!visited.has(selection.name.value)) {
      visited.add(selection.name.value);
      for (const definition of document.definitions) {
        if (definition.kind !== Kind.FRAGMENT_DEFINITION || definition.name.value !== selection.name.value) continue;
        collect(document, definition.selectionSet, visited, found);
      }
    }
  }
}
