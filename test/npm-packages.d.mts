/** Installs a package, such as `openai@7`, into `place`, which is made; returns its folder. `flags`: further ones of npm. Throws where npm fails. */
export function installPackage(spec: string, place: string, flags?: readonly string[]): string;
/** Installs this version of Node and returns the program's path. */
export function installNode(version: string, place: string): string;
