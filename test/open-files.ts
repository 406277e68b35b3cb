/** Which files of a folder this process holds open. */
import { readdirSync, readlinkSync } from 'node:fs';

const descriptors = '/proc/self/fd';

function targetOf(descriptor: string): string {
  try {
    return readlinkSync(`${descriptors}/${descriptor}`);
  } catch {
    // The one that listed the folder is closed by now.
    return '';
  }
}

/** Paths below `folder` that are open. Only Linux tells; elsewhere none are known of. */
export function openFilesIn(folder: string): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync(descriptors)
    .map(targetOf)
    .filter((path) => path.startsWith(folder));
}
