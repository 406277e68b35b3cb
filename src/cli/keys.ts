/** `nomoat keys`: the API keys of clients of `nomoat serve`. */
import { Argument, type Command } from 'commander';
import { NomoatError } from '../errors.ts';
import type { ApiKey } from '../library/keys.ts';
import { keysActions, keysOptions } from '../settings/command-settings.ts';
import { toggle } from '../settings/fields.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf, givenFlags } from './flags.ts';
import { print } from './print.ts';

const keysShown = { json: toggle(false, 'JSON, one object a key') };

type Action = (typeof keysActions)[number];

const limitText = (most: number | null, of: string): string => (most === null ? '' : `  ${most} ${of}`);

function line({ lastUsed, name, requestsPerMinute, scope, tokensPerDay, tokensToday }: ApiKey): string {
  const used = lastUsed === null ? 'never used' : `used ${lastUsed.slice(0, 16).replace('T', ' ')}, ${tokensToday} tokens today`; // biome-ignore format: one line
  return `${name.padEnd(16)} ${scope.padEnd(5)}  ${used}${limitText(requestsPerMinute, 'requests a minute')}${limitText(tokensPerDay, 'tokens a day')}`; // biome-ignore format: one line
}

/** Throws NomoatError where `action` is given what it has no use for. */
function assertFits(action: Action, name: string | undefined, flags: readonly string[]): void {
  const refuse = (part: string, fault: string, remedy: string): NomoatError =>
    new NomoatError({ code: 'invalid-settings', part, fault, remedy });
  if (action === 'list' && name !== undefined) throw refuse('NAME', `${name} is one name, and all keys are listed`, 'Leave it out.'); // biome-ignore format: one line
  if (action !== 'list' && name === undefined) throw refuse('NAME', 'was not given', `Name the key: \`nomoat keys ${action} laptop\`.`); // biome-ignore format: one line
  if (action !== 'add' && flags.length > 0) throw refuse(`\`${flags[0]}\``, `is for \`nomoat keys add\``, 'Leave it out.'); // biome-ignore format: one line
}

export function command(): Command {
  const command = bare('keys')
    .addArgument(new Argument('<ACTION>', 'what is done').choices(keysActions))
    .argument('[NAME]', 'of the key, for add and remove');
  return addFlags(command, { ...keysOptions, ...keysShown }).action(async (action: Action, name?: string) => {
    assertFits(action, name, Object.keys(givenFlags(command, keysOptions)));
    const { json, ...options } = flagsOf(command, { ...keysOptions, ...keysShown });
    const { addApiKey, listApiKeys, removeApiKey } = await import('../library/keys.ts');
    if (action === 'remove') return removeApiKey(name!);
    if (action === 'list') {
      const keys = await listApiKeys();
      if (keys.length === 0 && !json) print('No API keys.');
      for (const key of keys) print(json ? JSON.stringify({ type: 'key', ...key }) : line(key));
      return;
    }
    const key = await addApiKey({ name: name!, ...options });
    print(json ? JSON.stringify({ type: 'key', ...key }) : key.key);
    if (!json) process.stderr.write('Keep it: it is shown this once, and kept nowhere.\n');
  });
}
