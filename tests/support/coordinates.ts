import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLSchema,
} from 'graphql';

/** A member of a schema: what it is called there, and what is said of it. */
export interface Member {
  /** `Type`, `Type.field`, `Type.field(argument:)`, `Enum.VALUE`. */
  coordinate: string;
  description: string | null | undefined;
  /** Its type and default value as SDL has them; null for types and enum values. */
  signature: string | null;
}

/** Every member of a schema but those that each schema has, types before their members. */
export function membersOf(schema: GraphQLSchema): Member[] {
  const own = Object.values(schema.getTypeMap()).filter(
    (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
  );
  return own.flatMap((type): Member[] => {
    const self: Member = { coordinate: type.name, description: type.description, signature: null };
    if (isEnumType(type)) {
      const values = type.getValues().map(({ name, description }) => ({
        coordinate: `${type.name}.${name}`,
        description,
        signature: null,
      }));
      return [self, ...values];
    }
    if (isInputObjectType(type)) {
      return [self, ...Object.values(type.getFields()).map((field) => ofInput(`${type.name}.${field.name}`, field))];
    }
    if (isObjectType(type) || isInterfaceType(type)) {
      const fields = Object.values(type.getFields()).flatMap((field) => {
        const coordinate = `${type.name}.${field.name}`;
        return [
          { coordinate, description: field.description, signature: String(field.type) },
          ...field.args.map((argument) => ofInput(`${coordinate}(${argument.name}:)`, argument)),
        ];
      });
      return [self, ...fields];
    }
    return [self];
  });
}

function ofInput(coordinate: string, input: GraphQLArgument | GraphQLInputField): Member {
  const { description, type, defaultValue } = input;
  const preset = defaultValue === undefined ? '' : ` = ${JSON.stringify(defaultValue)}`;
  return { coordinate, description, signature: `${String(type)}${preset}` };
}
