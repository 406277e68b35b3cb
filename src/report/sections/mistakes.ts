/** The wrong answers, grouped by what was expected and what was answered instead. Pure. */
import type { Evaluation } from '../../evaluate/evaluation.ts';
import { pairOf } from '../content.ts';
import { count, percent } from '../figures.ts';
import type { Html } from '../markup.ts';
import { note, part, table } from '../parts.ts';
import { say } from '../say.ts';
import { words } from '../words.ts';

const { answers: said } = words;
/** Kinds of mistakes that are listed: those after them happened once or twice. */
const mostKinds = 12;
/** Characters of a label: what is longer is an answer that is no label. */
const mostCharacters = 60;

const shortened = (text: string): string => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > mostCharacters ? `${line.slice(0, mostCharacters)}…` : line;
};

interface Mistake {
  readonly expected: string;
  readonly answered: string;
  times: number;
}

/** Of labels: which was answered instead of which, the most frequent first. */
function mistakesOf({ questions }: Evaluation, answers: readonly string[], scores: readonly number[]): Mistake[] {
  const found = new Map<string, Mistake>();
  scores.forEach((score, i) => {
    if (score >= 1) return;
    const [expected, answered] = [questions[i]!.expected.trim(), shortened(answers[i]!)];
    const key = JSON.stringify([expected, answered]);
    const known = found.get(key) ?? { expected, answered, times: 0 };
    known.times++;
    found.set(key, known);
  });
  return [...found.values()].sort((a, b) => b.times - a.times);
}

function mistakesTable(evaluation: Evaluation): Html {
  const { first } = pairOf(evaluation);
  const mistakes = mistakesOf(evaluation, first.answers, first.results[0]!.scores);
  const support = (label: string): number =>
    evaluation.questions.filter(({ expected }) => expected.trim() === label).length;
  const columns = [
    { name: said.expected },
    { name: said.answered },
    { name: said.times, figures: true },
    { name: said.ofClass, figures: true },
  ];
  const rows = mistakes
    .slice(0, mostKinds)
    .map(({ answered, expected, times }) => [
      shortened(expected),
      answered === '' ? say(said.nothing) : answered,
      count(times),
      percent(times / support(expected), 0),
    ]);
  const rest = mistakes.length - rows.length;
  return part(said.wrongByClass, [
    note(said.wrongByClassNote({ wrong: count(mistakes.reduce((sum, { times }) => sum + times, 0)), all: count(evaluation.examples) })),
    mistakes.length === 0 ? note(said.noneWrong) : table(said.wrongByClass, columns, rows),
    rest > 0 ? note(said.others({ n: count(rest) })) : null,
  ]); // biome-ignore format: a list
}

/** Answers that are no labels, by what is wrong with them. */
function kindsTable(evaluation: Evaluation): Html | null {
  const { empty, repeating, unended } = pairOf(evaluation).first.degenerate;
  const kinds = [
    [said.kindEmpty, empty],
    [said.kindUnended, unended],
    [said.kindRepeating, repeating],
  ] as const;
  const rows = kinds
    .filter(([, times]) => times > 0)
    .map(([name, times]) => [say(name), count(times), percent(times / evaluation.examples)]);
  if (rows.length === 0) return null;
  const columns = [{ name: said.kind }, { name: said.examples, figures: true }, { name: said.share, figures: true }];
  return part(said.wrongByClass, table(said.wrongByClass, columns, rows));
}

/** Mistakes by class where answers are labels, else by kind of answer. */
export const wrongByClass = (evaluation: Evaluation): Html | null =>
  pairOf(evaluation).first.labels === null ? kindsTable(evaluation) : mistakesTable(evaluation);
