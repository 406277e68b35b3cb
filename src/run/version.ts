/** The version of this package, for run.json and the cards. */
import { ownVersion } from '../store/installed-version.ts';

/** `unknown` where package.json does not lie beside the code, as in a bundle. */
export const version = ownVersion() ?? 'unknown';
