/**
 * All checks of rows, with progress. Promises: the same findings for the same rows; nothing that was found to be secret or personal stands in
 * an excerpt.
 */
import type { Example, RecordSource } from '../text/example.ts';
import type { Tokenizer } from '../tokens/tokenizer.ts';
import { charactersIn } from './characters.ts';
import { type DataRow, rowOf, wholeOf } from './data-row.ts';
import { Excerpts } from './excerpts.ts';
import type { DataFinding, FindingKind, FindingSeverity } from './finding.ts';
import { countLanguages, type LanguageCount, languagesOf, otherLanguages } from './languages.ts';
import type { Found } from './personal/found.ts';
import { personalDataIn } from './personal/personal-data.ts';
import { secretsIn } from './personal/secrets.ts';
import { contradictionsIn, duplicatesIn } from './repeated-rows.ts';
import {
  edgesIn,
  emptyIn,
  type LabelCount,
  type Lengths,
  labelBalance,
  lengthsOf,
  unusualLengths,
} from './row-shapes.ts';
import { sharedRareWords } from './shared-rare-words.ts';
import { specialTokensIn } from './special-tokens.ts';

/** How rows are checked. */
export interface CheckRowsOptions {
  /** Of the model that shall learn them; null where it is not known. */
  readonly tokenizer?: Tokenizer | null;
  readonly signal?: AbortSignal | undefined;
  /** Told what is done, and how many of all rows have been looked at. */
  readonly onProgress?: ((doing: string, done: number, total: number) => void) | undefined;
}

/** What rows are, and what was found in them. */
export interface CheckedRows {
  readonly findings: readonly DataFinding[];
  /** Of whole rows. */
  readonly characters: Lengths;
  readonly languages: readonly LanguageCount[];
  /** Null where answers are no labels. */
  readonly labels: readonly LabelCount[] | null;
}

/** Rows between two looks at the signal: secretlint takes them together. */
const batchRows = 250;
/** Findings of one kind in one text; a list of a thousand addresses is told by its first ones. */
const mostOfText = 20;

/** What opens accounts, or belongs to one person for life. */
const severeData = /IBAN|card|number$|NIR|codice|NIF|NIE|BSN|PESEL|CPF|Aadhaar|AHV|tunnus/;
const severityOf = (kind: FindingKind, { rule }: Found): FindingSeverity =>
  kind === 'secret' || (severeData.test(rule) && rule !== 'phone number') ? 'severe' : 'warning';

/** Secrets and personal data of a batch of rows, hidden from excerpts before one is made. */
async function sensitiveIn(rows: readonly DataRow[], excerpts: Excerpts): Promise<DataFinding[]> {
  const texts = rows.flatMap(({ source, texts }) => texts.map(({ place, text }) => ({ source, place, text })));
  const secrets = await secretsIn(texts.map(({ text }) => text));
  const found = texts.map(({ text }, i) => {
    const isSecret = (each: Found): boolean =>
      secrets[i]!.some(({ end, start }) => each.start < end && start < each.end);
    const personal = personalDataIn(text).filter((each) => !isSecret(each));
    excerpts.hide(text, [...secrets[i]!, ...personal]);
    return { secret: secrets[i]!, 'personal-data': personal };
  });
  return texts.flatMap(({ place, source, text }, i) =>
    (['secret', 'personal-data'] as const).flatMap((kind) =>
      found[i]![kind].slice(0, mostOfText).map((each): DataFinding => {
        return {
          kind,
          severity: severityOf(kind, each),
          rule: each.rule,
          rows: [source],
          place,
          excerpt: excerpts.of(text, each.start, each.end),
        };
      }),
    ),
  );
}

function charactersOf({ source, texts }: DataRow, excerpts: Excerpts): DataFinding[] {
  return texts.flatMap(({ place, text }) =>
    charactersIn(text).map(({ end, kind, rule, severity, start }): DataFinding => {
      return { kind, severity, rule, rows: [source], place, excerpt: excerpts.of(text, start, end) };
    }),
  );
}

const orderOf: Readonly<Record<FindingSeverity, number>> = { severe: 0, warning: 1, note: 2 };

/** Severe ones first, each kind together, in the order of the rows. */
const inOrder = (findings: readonly DataFinding[]): DataFinding[] =>
  findings
    .map((finding, i) => ({ finding, i }))
    .sort(
      (a, b) =>
        orderOf[a.finding.severity] - orderOf[b.finding.severity] ||
        (a.finding.kind < b.finding.kind ? -1 : a.finding.kind > b.finding.kind ? 1 : a.i - b.i),
    )
    .map(({ finding }) => finding);

/** Checks rows one by one, and then beside each other. Rejects with the signal's reason where it is aborted. */
export async function checkRows(examples: readonly Example[], options: CheckRowsOptions = {}): Promise<CheckedRows> {
  const { onProgress, signal, tokenizer = null } = options;
  const rows = examples.map(rowOf);
  const excerpts = new Excerpts();
  const findings: DataFinding[] = [];
  for (let start = 0; start < rows.length; start += batchRows) {
    const batch = rows.slice(start, start + batchRows);
    findings.push(...(await sensitiveIn(batch, excerpts)));
    for (const row of batch) {
      for (const check of [emptyIn, charactersOf, edgesIn]) findings.push(...check(row, excerpts));
      findings.push(...specialTokensIn(row, excerpts, tokenizer));
    }
    signal?.throwIfAborted();
    onProgress?.('rows read', Math.min(start + batchRows, rows.length), rows.length);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  const comparing = (done: number, total: number): void => onProgress?.('rows compared', done, total);
  findings.push(...(await duplicatesIn(rows, excerpts, { onProgress: comparing, ...(signal ? { signal } : {}) })));
  const balance = labelBalance(rows, excerpts);
  const languages = languagesOf(rows);
  findings.push(
    ...contradictionsIn(rows, excerpts),
    ...sharedRareWords(rows, excerpts),
    ...unusualLengths(rows, excerpts),
  );
  findings.push(...otherLanguages(rows, languages, excerpts), ...(balance?.findings ?? []));
  return {
    findings: inOrder(findings),
    characters: lengthsOf(rows.map((row) => wholeOf(row).length)),
    languages: countLanguages(languages),
    labels: balance?.labels ?? null,
  };
}

/** Rows that are named in findings of the given kinds, each once, with the kinds that name it. */
export function namedRows(
  findings: readonly DataFinding[],
  kinds: readonly FindingKind[],
): { readonly row: RecordSource; readonly kinds: readonly FindingKind[] }[] {
  const named = new Map<string, { row: RecordSource; kinds: Set<FindingKind> }>();
  for (const { kind, rows } of findings) {
    if (!kinds.includes(kind)) continue;
    for (const row of rows) {
      const key = JSON.stringify(row);
      const known = named.get(key) ?? { row, kinds: new Set() };
      known.kinds.add(kind);
      named.set(key, known);
    }
  }
  return [...named.values()].map(({ kinds, row }) => ({ row, kinds: [...kinds] }));
}
