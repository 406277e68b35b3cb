/**
 * Token rows for people: the boundaries of tokens visible, the supervised ones marked, control characters harmless; and the counts. Pure.
 */

import { placeOf, type RecordSource } from '../text/example.ts';
import { picture } from '../words/harmless.ts';
import type { RowsReport } from './rows.ts';
import type { Answer, TokenRow } from './token-row.ts';
import type { Tokenizer } from './tokenizer.ts';

/** A row with the texts of its tokens. */
export interface PreviewedRow extends PreviewedAnswer {
  /** Where its record stands. */
  readonly source: RecordSource;
  /** Of a pair the other answer, behind the same prompt; its tokens are all of the row that it makes. */
  readonly rejected?: PreviewedAnswer;
  /** What the loss of a pair, or of an answer with a label, counts beside those of other rows; absent: 1. */
  readonly weight?: number;
  /** Whether the answer was found good, where answers are labelled. */
  readonly label?: boolean;
}

/** Tokens with their texts. */
export interface PreviewedAnswer {
  /** Ids in the model's vocabulary. */
  readonly tokens: readonly number[];
  /** 1 where the token is learnt. */
  readonly supervised: readonly number[];
  /** What the loss of each token counts; absent: 1 each. */
  readonly weights?: readonly number[];
  /** Texts as they are; tokens that hold one character only together are one text. */
  readonly pieces: readonly PreviewedPiece[];
}

/** A text of one token or several, as it is. */
export interface PreviewedPiece {
  readonly text: string;
  readonly supervised: boolean;
  /** What its loss counts, where it is learnt and that is not 1. */
  readonly weight?: number;
}

export interface PreviewOptions {
  readonly rows: number;
  /** Colours on a terminal; otherwise supervised tokens stand in «», others between bars. */
  readonly color: boolean;
}

const reset = '\u001b[0m';
/** Two shades in turn, so that neighbours can be told apart: black on greens, and plain and dim. */
const shades = { supervised: ['\u001b[30;42m', '\u001b[30;102m'], other: ['', '\u001b[2m'] } as const;
/** Of a character's bytes in tokens of their own: UTF-8 has up to four. */
const maxTokensPerCharacter = 4;

/** All of them, line ends visible and real. */
const visible = (text: string): string =>
  text.replace(/(?!\n)[\p{Cc}\p{Bidi_Control}]/gu, picture).replaceAll('\n', '⏎\n');

type WeightedAnswer = Answer & Pick<TokenRow, 'weights'>;

/** As it was written: the float32 number that is nearest to 0.3 is longer. */
const shownWeight = (weight: number): number => Number(weight.toPrecision(6));

/** The texts of tokens; tokens that hold one character only together are one text. */
function pieces(row: WeightedAnswer, tokenizer: Tokenizer): PreviewedPiece[] {
  const tokens = [...row.tokens];
  const out: PreviewedPiece[] = [];
  for (let t = 0; t < tokens.length; ) {
    let length = 1;
    // A token before keeps the space that some tokenizers drop at a text's beginning.
    const textOf = (): string => {
      const lead = tokenizer.decode(tokens.slice(Math.max(0, t - 1), t));
      const both = tokenizer.decode(tokens.slice(Math.max(0, t - 1), t + length));
      return both.startsWith(lead) ? both.slice(lead.length) : tokenizer.decode(tokens.slice(t, t + length));
    };
    while (
      textOf().includes('\ufffd') &&
      length < maxTokensPerCharacter &&
      row.supervised[t + length] === row.supervised[t]
    )
      length++;
    if (textOf().includes('\ufffd')) length = 1;
    const supervised = row.supervised[t] === 1;
    const weight = shownWeight(row.weights?.[t] ?? 1);
    out.push({ text: textOf(), supervised, ...(supervised && weight !== 1 ? { weight } : {}) });
    t += length;
  }
  return out;
}

const previewAnswer = (row: WeightedAnswer, tokenizer: Tokenizer): PreviewedAnswer => ({
  tokens: [...row.tokens],
  supervised: [...row.supervised],
  ...(row.weights ? { weights: Array.from(row.weights, shownWeight) } : {}),
  pieces: pieces(row, tokenizer),
});

export const previewRow = ({ label, rejected, weight, ...row }: TokenRow, tokenizer: Tokenizer): PreviewedRow => ({
  source: row.source,
  ...previewAnswer(row, tokenizer),
  ...(rejected ? { rejected: previewAnswer(rejected, tokenizer) } : {}),
  ...(label === undefined ? {} : { label }),
  ...(weight === undefined ? {} : { weight }),
});

/** The answer of a row without its prompt. */
const answerAlone = ({ pieces: all }: PreviewedAnswer): PreviewedAnswer['pieces'] =>
  all.slice(all.findIndex(({ supervised }) => supervised));

function renderPieces(shown: PreviewedAnswer['pieces'], color: boolean): string {
  let before = false;
  return shown
    .map(({ text: raw, supervised, weight }, i) => {
      const text = visible(raw);
      // Behind the last of those that count alike.
      const counts = weight !== undefined && shown[i + 1]?.weight !== weight ? `×${weight}` : '';
      if (color) {
        const style = shades[supervised ? 'supervised' : 'other'][i % 2]!;
        return `${style ? `${style}${text}${reset}` : text}${counts}`;
      }
      const bar = i > 0 && !supervised && !before ? '│' : '';
      before = supervised;
      return supervised ? `«${text}»${counts}` : `${bar}${text}`;
    })
    .join('');
}

/** The row; of a pair the preferred answer, then the other one without the prompt. */
function renderRow({ label, pieces: shown, rejected }: PreviewedRow, color: boolean): string {
  const said = renderPieces(shown, color);
  if (rejected)
    return `${said}\n--- rejected: ${rejected.tokens.length} tokens\n${renderPieces(answerAlone(rejected), color)}`;
  return label === undefined ? said : `${said}\n--- labelled ${label ? 'good' : 'bad'}`;
}

/** The counts of all rows, what is zero left out, and every refusal's reason. */
export function renderCounts(report: RowsReport): string {
  const share = report.tokens > 0 ? ((100 * report.supervisedTokens) / report.tokens).toFixed(1) : '0';
  const { shortest, median, longest } = report.lengths;
  const further: [number, string][] = [
    [report.truncatedRows, 'truncated'],
    [report.splitRows, `split (${report.addedParts} more rows)`],
    [report.cutTokens, `tokens cut off, ${report.cutSupervisedTokens} of them supervised`],
    [report.unrolledRows, 'rows added, since the template rewrites earlier turns'],
    [report.rawCompletions, 'without a chat template, since the model has none'],
    [report.refusedRows, 'refused'],
    [report.duplicateRows, 'duplicates'],
  ];
  return [
    `${report.rows} rows, ${report.tokens} tokens, ${report.supervisedTokens} supervised (${share}%)`,
    ...(report.rows > 0 ? [`${shortest} to ${longest} tokens a row, half of them up to ${median}`] : []),
    ...further.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`),
    ...Object.entries(report.notices).map(([note, count]) => `  note, ${count} of the examples: ${visible(note)}`),
    ...Object.entries(report.refusals).map(([reason, count]) => `  ${count} refused: ${visible(reason)}`),
    ...report.refused.map(({ reason, source }) => `    ${visible(`${placeOf(source)} ${reason}`)}`),
    ...(report.refusedRows > report.refused.length
      ? [`    and ${report.refusedRows - report.refused.length} more`]
      : []),
  ].join('\n');
}

/** The first rows and the counts of all. */
export function renderPreview(
  rows: readonly TokenRow[],
  report: RowsReport,
  tokenizer: Tokenizer,
  options: PreviewOptions,
): string {
  const shown = rows.slice(0, options.rows).map((row) => previewRow(row, tokenizer));
  return renderPreviewed(shown, report, options.color);
}

/** Those rows and the counts of all. */
export function renderPreviewed(rows: readonly PreviewedRow[], report: RowsReport, color: boolean): string {
  const shown = rows.map((row) => {
    const supervised = row.supervised.reduce((a, b) => a + b, 0);
    const counts = (row.weight ?? 1) === 1 ? '' : `, weight ${row.weight}`;
    const title = `--- ${placeOf(row.source)}: ${row.tokens.length} tokens, ${supervised} supervised${counts}`;
    return `${title}\n${renderRow(row, color)}`;
  });
  return [...shown, '---', renderCounts(report)].join('\n');
}
