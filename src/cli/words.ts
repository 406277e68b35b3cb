/**
 * What the library says, in the words of the command line. The library writes options and calls as a program does, in
 * backticks (words/program-words.ts); here they become flags and commands: `maxSteps` is --max-steps, `epochs: 2` is
 * --epochs 2, `preview()` is `nomoat preview`, and behind a colon, where it is to be pasted, a command stands bare.
 * Promises: what is no option or function of the library stays as it is, and so do texts in double quotes and names of
 * files that have backticks in them.
 */
import type { NomoatError } from '../errors.ts';
import type { RunEvent } from '../events.ts';
import {
  type CommandName,
  type CommandSettings,
  commandSettings,
  type keysActions,
} from '../settings/command-settings.ts';
import { fieldOf } from '../settings/fields.ts';
import { flagOf } from '../settings/options.ts';
import { shellQuote } from '../words/shell-quote.ts';

const commands = Object.values<CommandSettings>(commandSettings);
const options = new Map(commands.flatMap((command) => Object.entries(command.options)));
/** What training is called with, and no option. */
const positional = Object.keys(commandSettings.tune.argument);

/** The command that does what the function does. */
const commandOf: Readonly<
  Record<string, CommandName | 'runs' | 'doctor' | 'schema' | 'tune --resume' | `keys ${(typeof keysActions)[number]}`>
> = {
  tune: 'tune',
  pretrain: 'pretrain',
  plan: 'plan',
  preview: 'preview',
  openModel: 'chat',
  evaluate: 'eval',
  serve: 'serve',
  connectServer: 'jobs',
  importOpenAI: 'import-openai',
  collect: 'collect',
  addApiKey: 'keys add',
  listApiKeys: 'keys list',
  removeApiKey: 'keys remove',
  resumeTuneSeeds: 'tune --resume',
  inspectAdapter: 'inspect',
  inspectModel: 'inspect',
  inspectData: 'inspect data',
  exportRun: 'export',
  convertAdapter: 'convert',
  mergeAdapters: 'merge',
  extractAdapter: 'extract',
  packBundle: 'pack',
  verifyBundle: 'verify',
  reproduceRun: 'reproduce',
  lineage: 'lineage',
  card: 'card',
  check: 'check',
  addSigningKey: 'keys new',
  pullModel: 'pull',
  pull: 'pull',
  push: 'push',
  indexFolder: 'index',
  listModels: 'models',
  listRuns: 'runs',
  doctor: 'doctor',
  settingsSchema: 'schema',
  resumeTune: 'tune --resume',
};

type Values = Readonly<Record<string, unknown>>;

/** The flag of an option; null where there is none that says this value. */
function flagText(name: string, value?: unknown): string | null {
  const schema = options.get(name);
  if (!schema) return null;
  const { fallback, kind } = fieldOf(schema);
  // On unless said otherwise: the command line can only say otherwise.
  if (kind === 'boolean') return value === fallback ? null : `--${fallback === true ? 'no-' : ''}${flagOf(name)}`;
  return `--${flagOf(name)}${value === undefined ? '' : ` ${shellQuote(String(value))}`}`;
}

/** Options with their values as flags, as they are typed; null where one of them has none. */
export function flagsFor(values: Values): string | null {
  const flags = Object.entries(values).map(([name, value]) => flagText(name, value));
  return flags.every((flag) => flag !== null) ? flags.join(' ') : null;
}

const name = '[a-zA-Z]\\w*';
const literal = "'(?:[^'\\\\]|\\\\.)*'";
const value = `(?:${literal}|\\[(?:${literal}(?:, )?)*\\]|true\\b|false\\b|-?\\d[\\w.+-]*)`;
const entries = `${name}: ${value}(?:, ${name}: ${value})*`;
const call = `(?<call>${name})\\((?<first>${literal}|${name})?(?:, )?(?:\\{ (?<named>${entries}) \\})?\\)`;
/** Not inside of a word, as in the name of a file. */
const [opens, closes] = ['(?<=^|[\\s([{:,])', '(?=[.,:;!?)\\]]*(?:\\s|$))'];
const quoted = '"(?:[^"\\\\]|\\\\.)*"';
const said = `\`(?:(?<option>${name})|(?<given>${entries})|${call})\``;
/** What stands in double quotes is of users; then an option, options with values, a call. */
const spans = new RegExp(`${opens}(?:${quoted}|${said}${closes})`, 'g');

/** What `words/program-words.ts` wrote as a literal. */
const textIn = (written: string): string =>
  JSON.parse(`"${written.slice(1, -1).replaceAll("\\'", "'").replaceAll('"', '\\"')}"`) as string;

function valueIn(written: string): unknown {
  if (written.startsWith("'")) return textIn(written);
  if (written.startsWith('[')) return [...written.matchAll(new RegExp(literal, 'g'))].map(([item]) => textIn(item));
  return written === 'true' || written === 'false' ? written === 'true' : Number(written);
}

const valuesIn = (written: string): Values =>
  Object.fromEntries(
    [...written.matchAll(new RegExp(`(${name}): (${value})`, 'g'))].map(([, key, each]) => [key, valueIn(each!)]),
  );

/** A call as a command: what it is called with, then its flags. */
function commandText(called: string, first: string | undefined, named: Values): string | null {
  const command = Object.hasOwn(commandOf, called) ? commandOf[called] : undefined;
  if (command === undefined) return null;
  // A bare name stands for what only the reader knows, as in `nomoat export RUN`.
  const words = first === undefined ? [] : [first.startsWith("'") ? shellQuote(textIn(first)) : first.toUpperCase()];
  if (command === 'schema' && first !== undefined) return `nomoat ${words[0]} --help`;
  const arguments_ = command in commandSettings ? Object.keys(commandSettings[command as CommandName].argument) : [];
  const isArgument = ([key]: readonly [string, unknown]): boolean => arguments_.includes(key);
  const pairs = Object.entries(named);
  const flags = flagsFor(Object.fromEntries(pairs.filter((pair) => !isArgument(pair))));
  if (flags === null) return null;
  words.push(...pairs.filter(isArgument).map(([, each]) => shellQuote(String(each))), ...(flags === '' ? [] : [flags]));
  return ['nomoat', command, ...words].join(' ');
}

/** A message of the library for those who type commands. */
export function inCommandWords(text: string): string {
  return text.replace(spans, (span: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Readonly<Record<'option' | 'given' | 'call' | 'first' | 'named', string | undefined>>;
    const offset = rest.at(-3) as number;
    const { call: called, first, given, named = '', option } = groups;
    if (option !== undefined) return (positional.includes(option) ? option.toUpperCase() : flagText(option)) ?? span;
    try {
      if (given !== undefined) return flagsFor(valuesIn(given)) ?? span;
      const command = called === undefined ? null : commandText(called, first, valuesIn(named));
      if (command === null) return span;
      return text.slice(0, offset).endsWith(': ') ? command : `\`${command}\``;
    } catch {
      // Escapes that are none: not the library wrote it.
      return span;
    }
  });
}

/** The part at fault: an option, or a file or model, whose name is left as it is. */
const partInCommandWords = (part: string): string => (/^`.*`$/.test(part) ? inCommandWords(part) : part);

type ErrorWords = Pick<NomoatError, 'part' | 'fault' | 'remedy' | 'fields'>;

/** What an error says, with the message that is made of it. */
function errorWords({ fault, fields, part, remedy }: ErrorWords): ErrorWords & { readonly message: string } {
  const said = { part: partInCommandWords(part), fault: inCommandWords(fault), remedy: inCommandWords(remedy) };
  const { faults } = fields;
  const isList = Array.isArray(faults) && faults.every((each) => typeof each === 'string');
  return {
    ...said,
    fields: isList ? { ...fields, faults: faults.map(inCommandWords) } : fields,
    message: `${said.part}: ${said.fault}. ${said.remedy}`,
  };
}

/** The message of an error, whoever threw it. */
export const errorText = (error: NomoatError): string => errorWords(error).message;

/** An event of a run for those who type commands: what it says changes, what it holds of users' texts does not. */
export function eventInCommandWords(event: RunEvent): RunEvent {
  switch (event.type) {
    case 'notice':
      return { ...event, message: inCommandWords(event.message) };
    case 'precision':
      return { ...event, reason: inCommandWords(event.reason) };
    case 'verdict':
    case 'safety':
      return { ...event, sentences: event.sentences.map(inCommandWords) };
    case 'run-end':
      return event.verdict === undefined ? event : { ...event, verdict: inCommandWords(event.verdict) };
    case 'error':
      return { ...event, ...errorWords(event) };
    default:
      return event;
  }
}
