/**
 * Which of two answers another model prefers: an opinion, and called one everywhere. Promises: each pair is shown in both orders, and where the two
 * opinions disagree it is a tie, since judges prefer places (https://arxiv.org/abs/2306.05685); what is no opinion is counted, and from a share on
 * refused. Knows no network: who asks is handed in.
 */
import { NomoatError } from '../errors.ts';
import type { Message } from '../text/example.ts';
import { fewestExamples, type Verdict } from './compare.ts';
import { sideBySide } from './side-by-side.ts';
import { holm } from './statistics/multiple.ts';
import { confidence, type Interval, mcnemarExact, pairedInterval } from './statistics/proportions.ts';
import { pairedPermutation } from './statistics/resampling.ts';
import { seededMean } from './statistics/seeds.ts';
import { promptOf, type TestSet, unitsOf } from './test-set.ts';

/** A model that is asked for its opinion. */
export interface Judge {
  /** As outputs name it. */
  readonly name: string;
  /** Its reply to these messages. */
  ask(messages: readonly Message[], signal?: AbortSignal): Promise<string>;
}

/** What a judge thought of two on the same examples. */
export interface Judgement {
  /** The judge's name: this is its opinion. */
  readonly judge: string;
  readonly first: string;
  readonly second: string;
  /** Examples of which it preferred the first's answer in both orders, the second's in both, and neither. */
  readonly wins: number;
  readonly losses: number;
  readonly ties: number;
  /** Of the ties, those where the two orders disagreed. */
  readonly disagreed: number;
  /** Of the ties, those where a reply was no opinion. */
  readonly nonsense: number;
  /** Share of wins less that of losses. */
  readonly difference: number;
  readonly interval: Interval;
  readonly pValue: number;
  /** Holm's, over all that the judge compared. */
  readonly adjustedPValue: number;
  readonly verdict: Verdict;
  /** In the order of the examples: 1 for the first, -1 for the second, 0 for neither. */
  readonly opinions: readonly number[];
}

/** Whose answers are judged, in the order of the examples. */
interface Answering {
  readonly name: string;
  readonly answers: readonly { readonly text: string }[];
}

/** From this share of examples without an opinion on, the judge's others are no better founded. */
const mostNonsense = 0.2;
/** Of so many, if none has an opinion, no more are asked: they may cost money. */
const firstExamples = 5;
/** Requests at once: servers refuse many more. */
const atOnce = 4;

const instruction =
  'You compare two answers to the same question. Judge which one agrees better with the reference answer in meaning, and answers the question better. The order of the two says nothing, nor does their length. Reply with one word: A, B, or TIE.';

/** What the judge is asked of one example. */
function messagesOf(question: string, reference: string, [a, b]: readonly [string, string]): Message[] {
  const content = `Question:\n${question}\n\nReference answer:\n${reference}\n\nAnswer A:\n${a}\n\nAnswer B:\n${b}\n\nWhich is better: A, B, or TIE?`;
  return [
    { role: 'system', content: instruction },
    { role: 'user', content },
  ];
}

/** 1 for A, -1 for B, 0 for a tie; null for what is no opinion. */
export function opinionIn(reply: string): number | null {
  const word = /^[\s"'*_`([]*(?:answer\s+)?(a|b|tie)[\s"'*_`)\].!]*$/i.exec(reply)?.[1]?.toLowerCase();
  return word === undefined ? null : word === 'a' ? 1 : word === 'b' ? -1 : 0;
}

interface Opinion {
  readonly value: number;
  readonly why: 'same' | 'agreed' | 'disagreed' | 'nonsense';
  /** What was said that is no opinion; null without. */
  readonly nonsense: string | null;
}

interface JudgeOptions {
  readonly signal?: AbortSignal;
  /** Told how many examples are judged. */
  readonly onJudged?: (done: number) => void;
}

async function opinionOf(
  judge: Judge,
  [question, reference]: readonly [string, string],
  [first, second]: readonly [string, string],
  signal?: AbortSignal,
): Promise<Opinion> {
  if (first.trim() === second.trim()) return { value: 0, why: 'same', nonsense: null };
  const replies = [
    await judge.ask(messagesOf(question, reference, [first, second]), signal),
    await judge.ask(messagesOf(question, reference, [second, first]), signal),
  ] as const;
  const [ahead, swapped] = replies.map(opinionIn);
  if (ahead === null || swapped === null)
    return { value: 0, why: 'nonsense', nonsense: replies[ahead === null ? 0 : 1] };
  return ahead === -swapped!
    ? { value: ahead!, why: 'agreed', nonsense: null }
    : { value: 0, why: 'disagreed', nonsense: null };
}

/** Characters of a reply that show what the judge says instead. */
const shownReply = 80;

/** `opinions` are those that came so far. */
function refused(judge: Judge, opinions: readonly Opinion[]): NomoatError {
  const replies = opinions.flatMap(({ nonsense }) => nonsense ?? []);
  const reply = JSON.stringify(replies[0]!.slice(0, shownReply));
  return new NomoatError({
    part: `the judge ${judge.name}`,
    fault: `gave no opinion on ${replies.length} of ${opinions.length} examples: it was asked for A, B or TIE, and said ${reply}`,
    remedy: 'Take another judge.',
    kind: 'failed',
  });
}

/** Opinions on all examples. Rejects with NomoatError where too many are none. */
async function opinionsOn(
  judge: Judge,
  { questions }: TestSet,
  [first, second]: readonly [Answering, Answering],
  { onJudged, signal }: JudgeOptions,
): Promise<Opinion[]> {
  const opinions = new Array<Opinion>(questions.length);
  let [done, nonsense] = [0, 0];
  await sideBySide(questions.length, atOnce, async (i) => {
    const question = questions[i]!;
    opinions[i] = await opinionOf(
      judge,
      [promptOf(question), question.expected],
      [first.answers[i]!.text, second.answers[i]!.text],
      signal,
    );
    if (opinions[i]!.why === 'nonsense') nonsense++;
    done++;
    onJudged?.(done);
    if (done >= firstExamples && nonsense === done) throw refused(judge, Object.values(opinions));
  });
  if (nonsense > mostNonsense * questions.length) throw refused(judge, opinions);
  return opinions;
}

function judgementOf(judge: Judge, test: TestSet, pair: readonly [Answering, Answering], found: readonly Opinion[]) {
  const opinions = found.map(({ value }) => value);
  const count = (is: (opinion: Opinion) => boolean): number => found.filter(is).length;
  const [wins, losses, ties] = [1, -1, 0].map((value) => count((opinion) => opinion.value === value));
  const names = test.clusters?.names;
  return {
    judge: judge.name,
    first: pair[0].name,
    second: pair[1].name,
    wins: wins!,
    losses: losses!,
    ties: ties!,
    disagreed: count(({ why }) => why === 'disagreed'),
    nonsense: count(({ why }) => why === 'nonsense'),
    difference: (wins! - losses!) / opinions.length,
    interval: names
      ? seededMean(opinions, [], { clusters: names }).interval
      : pairedInterval(wins!, losses!, opinions.length),
    pValue: names ? pairedPermutation(opinions, { clusters: names }) : mcnemarExact(wins!, losses!),
    opinions,
  };
}

/** The judge's opinion of the first of `models` beside each other one. Rejects with NomoatError where its replies are no opinions. */
export async function judgeAll(
  judge: Judge,
  test: TestSet,
  models: readonly Answering[],
  options: JudgeOptions = {},
): Promise<Judgement[]> {
  const [first, ...others] = models;
  const found = [];
  for (const other of others)
    found.push(judgementOf(judge, test, [first!, other], await opinionsOn(judge, test, [first!, other], options)));
  const adjusted = holm(found.map(({ pValue }) => pValue));
  return found.map((each, i) => {
    const shown = adjusted[i]! < 1 - confidence;
    const verdict =
      unitsOf(test) < fewestExamples
        ? 'too-few-examples'
        : !shown
          ? 'no-difference-shown'
          : each.wins > each.losses
            ? 'better'
            : 'worse';
    return { ...each, adjustedPValue: adjusted[i]!, verdict };
  });
}

const outcome: Readonly<Record<Verdict, string>> = {
  better: 'better than',
  worse: 'worse than',
  'no-difference-shown': 'not shown to differ from',
  'too-few-examples': 'on too few examples to say, beside',
};

/** A judgement as a sentence, which says that it is an opinion. */
export function judgementText({
  adjustedPValue,
  disagreed,
  first,
  judge,
  losses,
  nonsense,
  second,
  ties,
  verdict,
  wins,
}: Judgement): string {
  const p = adjustedPValue < 0.001 ? 'p < 0.001' : `p = ${adjustedPValue.toFixed(3)}`;
  const odd = [
    ...(disagreed > 0 ? [`${disagreed} of which it saw otherwise in the other order`] : []),
    ...(nonsense > 0 ? [`${nonsense} of which it had no opinion on`] : []),
  ].join(', ');
  return `Opinion of ${judge}, no measurement: ${first} is ${outcome[verdict]} ${second}; it preferred ${wins} answers of the one and ${losses} of the other, ${ties} are ties${odd ? ` (${odd})` : ''}, ${p}.`;
}
