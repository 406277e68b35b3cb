/** "How was it made?": the command that repeats it, data, settings, digests, and what was said on the way. Pure. */
import type { DataReadyEvent } from '../../events.ts';
import { eventsOf, type ReportContent, type ReportedRun } from '../content.ts';
import { count } from '../figures.ts';
import { type Html, html, type Part } from '../markup.ts';
import { copyable, facts, folded, part } from '../parts.ts';
import { foreign, say, type Text, verbatim } from '../say.ts';
import { words } from '../words.ts';
import { lineagePart } from './lineage.ts';

const { run: said } = words;

const counted = (value: number): string | undefined => (value > 0 ? count(value) : undefined);

function dataFacts({ settings }: ReportedRun, data: DataReadyEvent | undefined): Html {
  const files: [Text, Part | undefined] = [said.files, settings.data.join(', ')];
  if (!data) return facts([files]);
  return facts([
    files,
    [said.format, data.format],
    [said.rows, count(data.rows)],
    [said.learnt, say(said.ofTokens({ learnt: count(data.supervisedTokens), all: count(data.tokens) }))],
    [said.heldOut, count(data.validationRows)],
    [said.refused, counted(data.refusedRows)],
    [said.truncated, counted(data.truncatedRows)],
    [said.split, counted(data.splitRows)],
    [said.duplicates, counted(data.duplicateRows)],
    [said.leaked, counted(data.leakedRows)],
  ]);
}

const valueText = (value: unknown): string =>
  value === null || value === undefined
    ? '–'
    : Array.isArray(value)
      ? value.join(', ')
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value);

/** Names and values as they are: settings of a run, facts of a machine. */
const plainFacts = (values: Readonly<Record<string, unknown>>): Html =>
  html`<dl class="facts mono">${Object.entries(values).map(([name, value]) => html`<div><dt>${name}</dt><dd>${valueText(value)}</dd></div>`)}</dl>`;

function runParts({ events, run }: ReportContent): Html | null {
  if (!run) return null;
  const notices = eventsOf(events, 'notice');
  const digests = { [run.settings.model]: run.modelDigest, ...run.dataDigests, ...run.adapterDigests };
  return html`${part(said.data, dataFacts(run, eventsOf(events, 'data-ready').at(-1)))}
${part(said.provenance, [
  facts([
    [said.version, run.nomoat],
    [said.created, run.created],
    [said.promptTokens, run.systemPrompt === null ? undefined : foreign(run.systemPrompt)],
  ]),
  plainFacts(run.machine),
])}
${part(said.digests, plainFacts(Object.fromEntries(Object.entries(digests).filter(([, digest]) => digest !== ''))))}
${notices.length === 0 ? null : folded(said.notices, html`<ul class="notices">${notices.map(({ message }) => html`<li>${say(verbatim(message))}</li>`)}</ul>`)}
${folded(said.settings, plainFacts({ ...run.settings }))}`;
}

/** The section without its heading. */
export function madeSection(content: ReportContent): Html {
  const { command, recipe } = content.repeat;
  return html`${part(said.repeat, copyable('repeat', command))}${recipe === null ? null : folded(said.recipe, copyable('recipe', recipe))}${lineagePart(content.lineage)}${runParts(content)}`;
}
