export function faultsOf(path: string, out: string, names?: readonly string[]): Promise<string[]>;
