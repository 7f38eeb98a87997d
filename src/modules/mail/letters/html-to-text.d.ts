// The package has no types of its own.
declare module 'html-to-text' {
  /** Compiles options once, for any number of texts. */
  export function compile(options: object): (html: string) => string;
}
