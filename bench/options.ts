import { parseArgs, type ParseArgsConfig } from 'node:util';

/** The arguments cannot be understood. The message says what is wrong, followed by the usage. */
export class UsageError extends Error {
  constructor(fault: string, usage: string) {
    super(`${fault}\n\n${usage}`);
  }
}

/** A member of staff with whose account a run writes. */
export interface Credentials {
  email: string;
  password: string;
}

/** Reads the arguments of a command with this usage. Every function throws UsageError. */
export function argumentsOf(usage: string) {
  const refuse = (fault: string): never => {
    throw new UsageError(fault, usage);
  };

  return {
    refuse,

    /** The options by name, as text. */
    parse<const Options extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: Options) {
      try {
        return parseArgs({ args: [...args], options }).values;
      } catch (error) {
        return refuse(error instanceof Error ? error.message : String(error));
      }
    },

    /** A whole number; null if the option is not given. */
    wholeNumber(name: string, text: string | undefined, least: number, most: number): number | null {
      if (text === undefined) return null;
      const value = Number(text);
      if (!/^\d+$/.test(text) || value < least || value > most)
        refuse(`--${name} takes a whole number from ${least} to ${most}, not "${text}".`);
      return value;
    },

    /** A number from 0 to 1; 0 if the option is not given. */
    share(name: string, text = '0'): number {
      const value = Number(text);
      if (!/^\d+(\.\d+)?$/.test(text) || value > 1) refuse(`--${name} takes a number from 0 to 1, not "${text}".`);
      return value;
    },

    /** The origin of an address. */
    origin(text: string): string {
      if (!URL.canParse(text) || !/^https?:/.test(text))
        refuse(`--url takes an address such as http://localhost:4000, not "${text}".`);
      return new URL(text).origin;
    },

    /** Who of the staff is named by `--admin-email` and `--admin-password`; null if nobody is. */
    admin(email: string | undefined, password: string | undefined): Credentials | null {
      if (email === undefined && password === undefined) return null;
      if (email === undefined || password === undefined)
        return refuse('--admin-email and --admin-password go together.');
      return { email, password };
    },
  };
}
