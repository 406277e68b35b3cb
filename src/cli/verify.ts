/** `nomoat verify`: whether a bundle is whole, and whose. */
import type { Command } from 'commander';
import { verifyOptions } from '../settings/bundle-settings.ts';
import { toggle } from '../settings/fields.ts';
import { harmless } from '../words/harmless.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf } from './flags.ts';
import { print } from './print.ts';
import { inCommandWords } from './words.ts';

const verifyShown = { json: toggle(false, 'one JSON object') };

export function command(): Command {
  const command = bare('verify').argument('<BUNDLE>');
  return addFlags(command, { ...verifyOptions, ...verifyShown }).action(async (folder: string) => {
    const { verifyBundle } = await import('../library/verify-bundle.ts');
    const { json, ...options } = flagsOf(command, { ...verifyOptions, ...verifyShown });
    const { files, notes, signature, signedBy } = verifyBundle(folder, options);
    if (json) return print(JSON.stringify({ type: 'bundle', files, notes, signature, signedBy }));
    const by = signature === 'good' ? `, signed with the key ${signedBy}` : '';
    print(`${Object.keys(files).length} files are as they were packed${by}.`);
    for (const note of notes) process.stderr.write(`${harmless(inCommandWords(note))}\n`);
  });
}
