/** Whether this account may make symbolic links: on Windows an ordinary one may not. */
import { lstatSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

function tried(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'nomoat-link-'));
  try {
    symlinkSync('target', join(folder, 'link'));
    return lstatSync(join(folder, 'link')).isSymbolicLink();
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const canLink = tried();
