/** The page's first sentence: whether it worked. What speaks against that comes before what speaks for it. Pure. */
import type { Evaluation } from '../evaluate/evaluation.ts';
import { decisive, eventsOf, modelName, nameOf, pairOf, type ReportContent } from './content.ts';
import { count, fixed, percent } from './figures.ts';
import { type Text, verbatim } from './say.ts';
import { words } from './words.ts';

/** `good`: it worked. `bad`: it did not. `doubtful`: nobody can say, or not as it looks. `open`: nobody looked. */
export type Tone = 'good' | 'bad' | 'doubtful' | 'open';

export interface Headline {
  readonly tone: Tone;
  readonly title: Text;
  readonly lead: Text;
}

const { page } = words;

/** The names, as a list in words. */
const listed = (names: readonly Text[]): Text => ({
  en: names.map(({ en }) => en).join(names.length > 2 ? ', ' : ' and '),
  zh: names.map(({ zh }) => zh).join('、'),
});

function scoreLead({ examples, metrics: [metric], models }: Evaluation): Text {
  const { interval, score } = models[0]!.results[0]!;
  const shown = (value: number): string => (value >= 0 && value <= 1 ? percent(value) : fixed(value, 3));
  const figures = { score: shown(score), low: shown(interval[0]), high: shown(interval[1]), n: count(examples) };
  return metric!.binary ? page.rightLead(figures) : page.scoreLead({ ...figures, metric: metric!.name });
}

/** What the comparisons come to, doubts apart. */
function outcomeOf(evaluation: Evaluation): Pick<Headline, 'tone' | 'title'> {
  const all = decisive(evaluation);
  const names = (some: typeof all): Text => listed(some.map(({ second }) => nameOf(evaluation, second)));
  const [models, baselines] = [
    all.filter((each) => each.with === 'model'),
    all.filter((each) => each.with === 'baseline'),
  ];
  if (all.length === 0) return { tone: 'open', title: page.scored };
  if (all.some(({ verdict }) => verdict === 'too-few-examples'))
    return { tone: 'doubtful', title: page.tooFew({ n: count(evaluation.examples) }) };
  const beaten = baselines.filter(({ verdict }) => verdict === 'worse');
  if (beaten.length > 0) return { tone: 'bad', title: page.beaten({ by: names(beaten) }) };
  const worse = models.find(({ verdict }) => verdict === 'worse');
  if (worse) return { tone: 'bad', title: page.worse({ than: modelName(worse.second) }) };
  // A base that is beaten shows little where an answer that never changes is not.
  const undecided = [...models, ...baselines].filter(({ verdict }) => verdict === 'no-difference-shown');
  if (undecided.length > 0) return { tone: 'doubtful', title: page.noDifference({ than: names(undecided) }) };
  return { tone: 'good', title: page.better({ than: names(models.length > 0 ? models : baselines) }) };
}

function ofEvaluation(evaluation: Evaluation): Headline {
  const { title, tone } = outcomeOf(evaluation);
  const isGrave = evaluation.doubts.some(({ severity }) => severity === 'severe');
  const { rival } = pairOf(evaluation);
  const lead = scoreLead(evaluation);
  const score = rival ? percent(rival.results[0]!.score) : '';
  const other = rival && modelName(rival.name);
  const said = {
    en: `${lead.en}${other ? `; ${other.en}: ${score}` : ''}.`,
    zh: `${lead.zh}${other ? `；${other.zh}：${score}` : ''}。`,
  };
  if (isGrave && tone === 'good') return { tone: 'doubtful', title: page.doubtful({ said: title }), lead: said };
  return { tone, title, lead: said };
}

function ofLosses({ events, run }: ReportContent): Headline {
  const end = eventsOf(events, 'run-end').at(-1);
  const [before, after] = [end?.validationBefore ?? null, end?.validationAfter ?? null];
  if (before === null || after === null)
    return { tone: 'open', title: page.nothingHeldOut, lead: page.nothingHeldOutLead };
  const figures = { before: fixed(before, 3), after: fixed(after, 3) };
  if (after >= before) return { tone: 'bad', title: page.lossRose, lead: page.lossRoseLead(figures) };
  const isNew = run?.settings.method === 'pretrain';
  return { tone: 'open', title: page.lossFell, lead: isNew ? page.pretrainLead(figures) : page.lossLead(figures) };
}

/** How a run that has no result that can be used ended; null for others. */
function ofEnding({ events, run }: ReportContent): Headline | null {
  if (!run) return null;
  const end = eventsOf(events, 'run-end').at(-1);
  const state = end?.state ?? run.state;
  const why = verbatim(end?.verdict ?? run.verdict ?? eventsOf(events, 'error').at(-1)?.message ?? '');
  if (state === 'diverged') return { tone: 'bad', title: page.diverged, lead: why };
  if (state === 'proof-failed') return { tone: 'bad', title: page.proofFailed, lead: why };
  if (state === 'failed') return { tone: 'bad', title: page.failed, lead: why };
  if (state === 'done' || state === 'stopped-early') return null;
  const steps = count(end?.steps ?? eventsOf(events, 'step-end').length);
  return { tone: 'open', title: page.unfinished, lead: page.unfinishedLead({ steps }) };
}

/** The answer to "did it work?". */
export const headlineOf = (content: ReportContent): Headline =>
  ofEnding(content) ?? (content.evaluation ? ofEvaluation(content.evaluation) : ofLosses(content));
