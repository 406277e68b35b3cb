/** What an adapter does to answers, for people: tokens that became likelier, guesses after each block, rows that an answer may come from. */
import { basename } from 'node:path';
import type { TokenChange } from '../inspect/token-changes.ts';
import type { AnswerSources, SourceRow } from '../library/answer-sources.ts';
import type { LensView, LogitLens } from '../library/logit-lens.ts';
import type { ChangedAnswer, TokenChanges } from '../library/token-changes.ts';
import { harmless } from '../words/harmless.ts';
import { percent, table } from './inspect-text.ts';

/** A change in nats that is worth a mark: the token became half as likely again, or a third less. */
const least = 0.4;
/** From here on in strong colours: ten times as likely, or a tenth. */
const strong = Math.log(10);
const reset = '\u001b[0m';
/** Black on green where likelier, on red where less. */
const shades = { up: ['\u001b[30;42m', '\u001b[30;102m'], down: ['\u001b[30;41m', '\u001b[30;101m'] } as const;

/** On one line. */
const visible = (text: string): string => harmless(text).replaceAll('\n', '⏎').replaceAll('\t', '⇥');
const signed = (nats: number): string => `${nats < 0 ? '' : '+'}${nats.toFixed(1)}`;

/** In colours, or, without them, with the change in nats behind each token that changed. */
function shownToken({ after, before, text }: TokenChange, colour: boolean): string {
  const change = after - before;
  const shown = visible(text);
  if (Math.abs(change) < least) return shown;
  if (!colour) return `[${shown} ${signed(change)}]`;
  return `${shades[change > 0 ? 'up' : 'down'][Math.abs(change) >= strong ? 1 : 0]}${shown}${reset}`;
}

const shownPrompt = 100;
const cut = (text: string): string => (text.length > shownPrompt ? `${text.slice(0, shownPrompt)}...` : text);

function exampleLines({ after, before, prompt, tokens }: ChangedAnswer, i: number, colour: boolean): string[] {
  return [
    `${i + 1}. ${cut(visible(prompt))}`,
    `   ${tokens.map((token) => shownToken(token, colour)).join('')}`,
    `   ${signed(after - before)} nats: ${before.toFixed(1)} before, ${after.toFixed(1)} after`,
  ];
}

/** Texts that stand first and last of all by their change. */
const shownTotals = 8;

function totalLines({ totals }: TokenChanges): string[] {
  const line = (all: TokenChanges['totals']): string =>
    all
      .map(({ change, count, text }) => `"${visible(text)}" ${signed(change)}${count > 1 ? ` (${count} times)` : ''}`)
      .join(', ');
  const up = totals.filter(({ change }) => change >= least).slice(0, shownTotals);
  const down = totals
    .filter(({ change }) => change <= -least)
    .reverse()
    .slice(0, shownTotals);
  return [
    `Likelier: ${line(up) || 'none'}`,
    `Less likely: ${line(down) || 'none'}`,
    'Nats a token, mean over where it stands: +0.7 is twice as likely, +2.3 ten times.',
  ];
}

/** Example by example, then all tokens. */
export function renderTokenChanges(changes: TokenChanges, colour: boolean): string {
  const gained = changes.examples.filter(({ after, before }) => after > before).length;
  return [
    ...changes.notes.map(harmless),
    `Expected answers, token by token: ${colour ? 'green became likelier, red less' : '[token +nats] where it changed'}.`,
    ...changes.examples.flatMap((example, i) => exampleLines(example, i, colour)),
    '',
    `${gained} of ${changes.examples.length} answers became likelier.`,
    ...totalLines(changes),
  ].join('\n');
}

const guessText = ({ guesses }: LensView): string =>
  guesses.map(({ probability, text }) => `"${visible(text)}" ${percent(probability)}`).join(' ');

/** One line a block. */
export function renderLens({ answer, blocks, notes, prompt }: LogitLens): string {
  const last = visible(answer.text);
  return [
    ...notes,
    `Prompt: ${visible(prompt)}`,
    `The tuned model answers first "${last}" (${percent(answer.probability)}). After each block, the likeliest tokens, and the probability of "${last}":`,
    ...table([
      ['block', 'before', `"${last}"`, 'after', `"${last}"`],
      ...blocks.map(({ after, before, block }) => [
        block === 0 ? '0 (embedding)' : String(block),
        guessText(before),
        percent(before.answer),
        guessText(after),
        percent(after.answer),
      ]),
    ]),
  ].join('\n');
}

const sourceLine = ({ answer, source, text, value }: SourceRow): string =>
  `  ${value.toFixed(2).padStart(6)}  ${basename(source.file)}:${source.line}  ${cut(visible(text))} -> ${cut(visible(answer))}`;

/** Rows that an answer may come from. */
export function renderSources({ answer, byGradient, byText, compared, notes, trainingRows }: AnswerSources): string {
  return [
    `Where "${cut(visible(answer))}" may come from, of ${trainingRows} training rows:`,
    'Alike by text:',
    ...(byText.length > 0 ? byText.map(sourceLine) : ['  none has a word in common']),
    ...(compared > 0
      ? [`Gradients that point the same way (cosine; ${compared} rows compared):`, ...byGradient.map(sourceLine)]
      : []),
    ...notes.map(harmless),
  ].join('\n');
}
