export const BANNER: string;
export function compile(options: {
  entries: readonly string[];
  folder: string;
  home?: string;
  sourcemap?: boolean;
}): Promise<void>;
export function compiledPath(folder: string, file: string): string;
