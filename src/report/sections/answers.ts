/** "Show me": answers side by side, their differences marked, and the wrong ones by class. Pure. */
import type { Evaluation, ModelEvaluation } from '../../evaluate/evaluation.ts';
import type { SampleEvent } from '../../sample-events.ts';
import { eventsOf, modelName, pairOf, type ReportContent } from '../content.ts';
import { withDifferences } from '../differences.ts';
import { count, percent, short } from '../figures.ts';
import { type Html, html } from '../markup.ts';
import { note, table } from '../parts.ts';
import { foreign, say, type Text } from '../say.ts';
import { words } from '../words.ts';
import { chosenExamples, type Outcome, outcomes, outcomesOf } from './choose-examples.ts';
import { wrongByClass } from './mistakes.ts';

const { answers: said } = words;

/** Characters of a text that are shown: twenty long ones would be a page of megabytes. */
const mostCharacters = 3000;

function cut(text: string): { readonly text: string; readonly rest: Html | null } {
  if (text.length <= mostCharacters) return { text, rest: null };
  return {
    text: text.slice(0, mostCharacters),
    rest: html`<small>${say(said.cut({ n: count(text.length - mostCharacters) }))}</small>`,
  };
}

const shownText = (text: string, marked: Html): Html => {
  if (text.trim() === '') return html`<div class="foreign empty">${say(said.nothing)}</div>`;
  const { rest } = cut(text);
  return html`${foreign(marked)}${rest}`;
};

/** One answer: whose, whether it is right, the text. */
interface Answer {
  readonly name: Text;
  readonly text: string;
  /** 0 to 1; null where nobody scored it. */
  readonly score: number | null;
}

function mark(score: number | null): Html | null {
  if (score === null) return null;
  if (score === 1) return html`<span class="tag good">✓ ${say(said.isRight)}</span>`;
  if (score === 0) return html`<span class="tag bad">✗ ${say(said.isWrong)}</span>`;
  return html`<span class="tag plain">${short(score)}</span>`;
}

interface Card {
  readonly id: string;
  readonly name: Text;
  readonly outcome: Outcome | null;
  readonly prompt: string;
  readonly expected: string;
  /** The last is the one that the page is about. */
  readonly answers: readonly Answer[];
}

function card({ answers, expected, id, name, outcome, prompt }: Card): Html {
  const wanted = cut(expected).text;
  // What is expected is marked by what the last answer, the one that the page is about, lacks.
  const pairs = answers.map(({ text }) => withDifferences(wanted, cut(text).text));
  const question = cut(prompt);
  return html`<article class="example" aria-labelledby="${id}"${outcome === null ? null : html` data-outcome="${outcome}"`}>
<h4 id="${id}">${say(name)}</h4><div class="question">${foreign(question.text)}${question.rest}</div>
<div class="columns"><div class="column expected"><h5>${say(said.expected)}</h5>${shownText(expected, pairs.at(-1)!.expected)}</div>${answers.map((answer, i) => html`<div class="column"><h5>${say(answer.name)} ${mark(answer.score)}</h5>${shownText(answer.text, pairs[i]!.answer)}</div>`)}</div></article>`;
}

/** What kinds are called: of models that are compared, of one alone, of graded scores. */
function kindNames({ metrics, models }: Evaluation): Readonly<Record<Outcome, Text>> {
  const [first, rival] = models;
  const isBinary = metrics[0]!.binary;
  const ahead = (name: string): Text =>
    isBinary ? said.onlyRight({ model: modelName(name) }) : said.higher({ model: modelName(name) });
  if (!rival)
    return {
      lost: said.aloneWrong,
      wrong: isBinary ? said.aloneWrong : said.notWhole,
      gained: said.aloneRight,
      right: said.aloneRight,
    };
  return {
    lost: ahead(rival.name),
    wrong: isBinary ? said.wrong : said.same,
    gained: ahead(first!.name),
    right: said.right,
  };
}

function kindsTable(kinds: readonly Outcome[], names: Readonly<Record<Outcome, Text>>): Html {
  const rows = outcomes
    .map((outcome) => [outcome, kinds.filter((kind) => kind === outcome).length] as const)
    .filter(([, times]) => times > 0);
  const columns = [{ name: said.kinds }, { name: said.examples, figures: true }, { name: said.share, figures: true }];
  return table(
    said.kinds,
    columns,
    rows.map(([outcome, times]) => [say(names[outcome]), count(times), percent(times / kinds.length)]),
  );
}

function filters(shown: readonly Outcome[], names: Readonly<Record<Outcome, Text>>): Html | null {
  const present = outcomes.filter((outcome) => shown.includes(outcome));
  if (present.length < 2) return null;
  const button = (value: string, name: Text, times: number, isPressed: boolean): Html =>
    html`<button type="button" data-show="${value}" aria-pressed="${String(isPressed)}">${say(name)} <small>${times}</small></button>`;
  const each = present.map((outcome) =>
    button(outcome, names[outcome], shown.filter((kind) => kind === outcome).length, false),
  );
  return html`<div class="filters scripted" role="group" aria-labelledby="filter-name"><span id="filter-name">${say(said.filter)}</span>${button('all', said.all, shown.length, true)}${each}</div>`;
}

const answerOf = ({ answers, name, results }: ModelEvaluation, i: number): Answer => ({
  name: modelName(name),
  text: answers[i]!,
  score: results[0]!.scores[i]!,
});

function evaluatedAnswers(evaluation: Evaluation): Html {
  const { examples, questions } = evaluation;
  const { first, rival } = pairOf(evaluation);
  const kinds = outcomesOf(evaluation);
  const chosen = chosenExamples(kinds);
  const names = kindNames(evaluation);
  const cards = chosen.map((i) =>
    card({
      id: `example-${i + 1}`,
      name: said.number({ n: count(i + 1) }),
      outcome: kinds[i]!,
      ...questions[i]!,
      answers: [...(rival ? [answerOf(rival, i)] : []), answerOf(first, i)],
    }),
  );
  const about =
    chosen.length < examples
      ? said.chosen({ shown: count(chosen.length), all: count(examples) })
      : said.allShown({ all: count(examples) });
  return html`<div class="narrow">${kindsTable(kinds, names)}</div>
<h3>${say(said.sideBySide)}</h3>${note({ en: `${about.en} ${said.marks.en}`, zh: `${about.zh}${said.marks.zh}` })}${filters(chosen.map((i) => kinds[i]!), names)}<div class="examples">${cards}</div>${wrongByClass(evaluation)}`; // biome-ignore format: a template
}

const sampleCard = ({ after, before, expected, prompt }: SampleEvent, i: number): Html =>
  card({
    id: `sample-${i + 1}`,
    name: said.number({ n: String(i + 1) }),
    outcome: null,
    prompt,
    expected,
    answers: [
      { name: said.before, text: before, score: null },
      { name: said.after, text: after, score: null },
    ],
  });

/** The section without its heading. */
export function answersSection({ evaluation, events }: ReportContent): Html {
  if (evaluation) return evaluatedAnswers(evaluation);
  const samples = eventsOf(events, 'sample');
  if (samples.length === 0) return note(said.noSamples);
  return html`<h3>${say(said.sideBySide)}</h3>${note({ en: `${said.samplesNote.en} ${said.marks.en}`, zh: `${said.samplesNote.zh}${said.marks.zh}` })}<div class="examples">${samples.map(sampleCard)}</div>`;
}
