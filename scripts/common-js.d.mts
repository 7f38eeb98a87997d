export function isPart(name: string): boolean;
export function useCommonJs(folder: string, banner: string): Promise<void>;
