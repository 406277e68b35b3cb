/** `nomoat keys`: the API keys of clients of `nomoat serve`, and pairs of files to sign bundles with. */
import { Argument, type Command } from 'commander';
import { NomoatError } from '../errors.ts';
import type { ApiKey } from '../library/keys.ts';
import { signingKeyOptions } from '../settings/bundle-settings.ts';
import { keysActions, keysOptions } from '../settings/command-settings.ts';
import { toggle } from '../settings/fields.ts';
import { bare } from './bare-command.ts';
import { addFlags, flagsOf, givenFlags } from './flags.ts';
import { print } from './print.ts';

const keysShown = { json: toggle(false, 'JSON, one object a key') };

type Action = (typeof keysActions)[number];

const limitText = (most: number | null, of: string): string => (most === null ? '' : `  ${most} ${of}`);

function line({ lastUsed, name, requestsPerMinute, scope, tokensPerDay, tokensToday }: ApiKey): string {
  const used =
    lastUsed === null ? 'never used' : `used ${lastUsed.slice(0, 16).replace('T', ' ')}, ${tokensToday} tokens today`;
  return `${name.padEnd(16)} ${scope.padEnd(5)}  ${used}${limitText(requestsPerMinute, 'requests a minute')}${limitText(tokensPerDay, 'tokens a day')}`;
}

/** A signing key lies in files; that of an API is a text, and none. */
async function makeSigningKey(name: string | undefined, days: number | null, json: boolean): Promise<void> {
  const { addSigningKey } = await import('../library/signing-keys.ts');
  const made = addSigningKey({ ...(name === undefined ? {} : { name }), days });
  if (json) return print(JSON.stringify({ type: 'signing-key', ...made }));
  print(made.public);
  process.stderr.write(
    `Give that file to those who shall verify what you sign. ${made.private} signs: keep it to yourself.\n`,
  );
}

/** Throws NomoatError where `action` is given what it has no use for. */
function assertFits(action: Action, name: string | undefined, flags: readonly string[]): void {
  const refuse = (part: string, fault: string, remedy: string): NomoatError =>
    new NomoatError({ code: 'invalid-settings', part, fault, remedy });
  if (action === 'list' && name !== undefined)
    throw refuse('NAME', `${name} is one name, and all keys are listed`, 'Leave it out.');
  if (action !== 'list' && action !== 'new' && name === undefined)
    throw refuse('NAME', 'was not given', `Name the key: \`nomoat keys ${action} laptop\`.`);
  if (action !== 'add' && flags.length > 0)
    throw refuse(`\`${flags[0]}\``, `is for \`nomoat keys add\``, 'Leave it out.');
}

export function command(): Command {
  const command = bare('keys')
    .addArgument(new Argument('<ACTION>', 'what is done').choices(keysActions))
    .argument('[NAME]', 'of the key, for add, remove and new');
  return addFlags(command, { ...keysOptions, ...signingKeyOptions, ...keysShown }).action(
    async (action: Action, name?: string) => {
      assertFits(action, name, Object.keys(givenFlags(command, keysOptions)));
      const { days, json, ...options } = flagsOf(command, { ...keysOptions, ...signingKeyOptions, ...keysShown });
      if (action === 'new') return makeSigningKey(name, days, json);
      if (days !== null)
        throw new NomoatError({
          code: 'invalid-settings',
          part: '`days`',
          fault: 'is for `nomoat keys new`',
          remedy: 'Leave it out.',
        });
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
    },
  );
}
