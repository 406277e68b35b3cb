/** The commands that documents show: those of code blocks of a shell, and code spans that begin as a command does. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repo } from './small-inputs.ts';

export interface Documented {
  readonly file: string;
  readonly line: number;
  readonly words: readonly string[];
}

export const documents = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'bench/README.md',
  'examples/intents/README.md',
  'models/nomoat-mini/README.md',
  ...readdirSync(join(repo, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
    .map((name) => `docs/${name.replaceAll('\\', '/')}`),
];

const programs =
  /^(?:[A-Z_]+=\S+ )*(?:nomoat|node|npm|npx|pip|PYTHON|python3?|bash|sh|(?:bench|models)\/[\w/.-]+\.(?:sh|mjs|py))(?= |$)/;
/** Names that begin as a program's does. */
const noCommand = /^(?:node_modules|nomoat(?:\.\w+)?|node|npm)$/;

/** Commands of a line of shell: joined ones apart, without comments and redirections. */
const commandsOf = (text: string): string[] =>
  text
    .replace(/\s#.*$/, '')
    .split(/\s*(?:&&|;)\s*/)
    .map((part) => part.replace(/\s*[<>].*$/, '').trim())
    .filter((part) => part !== '');

function commandsIn(file: string): Documented[] {
  const found: Documented[] = [];
  let fence: string | null = null;
  readFileSync(join(repo, file), 'utf8')
    .split('\n')
    .forEach((text, i) => {
      const mark = /^```(\w*)$/.exec(text);
      if (mark) {
        fence = fence === null ? mark[1]! : null;
        return;
      }
      // A pipe in a table is written so.
      const spans = [...text.matchAll(/`([^`]+)`/g)].map(([, span]) => span!.replaceAll('\\|', '|'));
      const texts = fence === null ? spans.filter((span) => programs.test(span)) : fence === 'sh' ? [text] : [];
      for (const command of texts.flatMap(commandsOf))
        if (!noCommand.test(command)) found.push({ file, line: i + 1, words: command.split(/\s+/) });
    });
  return found;
}

export const documented: readonly Documented[] = documents.flatMap(commandsIn);

/** Flags that code spans name by themselves: `--memory 8GB`. */
export const documentedFlags: readonly { readonly file: string; readonly flag: string }[] = documents.flatMap((file) =>
  [...readFileSync(join(repo, file), 'utf8').matchAll(/`(--[a-z][a-z0-9-]*)[^`]*`/g)].map(([, flag]) => ({
    file,
    flag: flag!,
  })),
);
