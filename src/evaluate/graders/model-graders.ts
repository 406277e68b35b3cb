/**
 * Graders of OpenAI's evals that ask a model, as metrics: its opinion, and called one. Promises: a reply that is no label, or no number within the range,
 * fails the example, as at OpenAI; from a share of them on the judge is refused.
 */
import { NomoatError } from '../../errors.ts';
import type { Message } from '../../text/example.ts';
import type { Judge } from '../judge.ts';
import type { Metric } from '../metrics/metric.ts';
import { contentOf, type ModelGrader } from './definition.ts';
import { filled, type Namespace } from './template.ts';

/** Of so many replies, if none is an opinion, no more are asked: they may cost money. */
const firstReplies = 5;
/** Share of replies without an opinion that is borne, and of how many it is taken at least. */
const mostNonsense = 0.2;
const enoughReplies = 25;

const roles: Readonly<Record<string, string>> = { developer: 'system' };

/** Template messages filled in, with the roles that chat templates know. */
export const messagesOf = (templates: ModelGrader['input'], values: Namespace): Message[] =>
  templates.map((each) => ({ role: roles[each.role] ?? each.role, content: filled(contentOf(each), values) }));

/** How a grader's model replies, and what a reply comes to: a score from 0 to 1, or null where it is no opinion. */
interface Form {
  readonly asksFor: string;
  readonly scoreOf: (reply: string) => number | null;
}

const bare = (text: string): string =>
  text
    .trim()
    .replace(/^[\s"'*_`([]+|[\s"'*_`)\].!]+$/g, '')
    .toLowerCase();

/** The label that the whole reply is, or its last line, or the only one that is named. */
function labelIn(reply: string, labels: readonly string[]): string | null {
  const said = [reply, reply.trim().split('\n').at(-1)!].map(bare);
  const whole = labels.find((label) => said.includes(bare(label)));
  if (whole !== undefined) return whole;
  const named = labels.filter((label) => reply.toLowerCase().includes(label.toLowerCase()));
  return named.length === 1 ? named[0]! : null;
}

function formOf(grader: ModelGrader): Form {
  if (grader.type === 'label_model') {
    const { labels, passing_labels: passing } = grader;
    return {
      asksFor: `Reply with one of these labels and nothing else: ${labels.join(', ')}`,
      scoreOf: (reply) => {
        const label = labelIn(reply, labels);
        return label === null ? null : Number(passing.includes(label));
      },
    };
  }
  const [low, high] = grader.range ?? [0, 1];
  const least = grader.pass_threshold ?? null;
  return {
    asksFor: `Reply with a number from ${low} to ${high} and nothing else.`,
    scoreOf: (reply) => {
      const last = reply.match(/-?\d+(?:\.\d+)?/g)?.at(-1);
      const value = last === undefined ? Number.NaN : Number(last);
      if (!(value >= low && value <= high)) return null;
      return least === null ? (value - low) / (high - low) : Number(value >= least);
    },
  };
}

/** A grader as a metric, by the model that judges here. */
export function modelGraderMetric(name: string, grader: ModelGrader, judge: Judge): Metric {
  const { asksFor, scoreOf } = formOf(grader);
  let [replies, nonsense] = [0, 0];
  return {
    name: `${name}, opinion of ${judge.name}`,
    summary: `${grader.type} of OpenAI's evals, judged by ${judge.name}: an opinion, no measurement`,
    binary: grader.type === 'label_model' || grader.pass_threshold != null,
    of: async (answer, _, question) => {
      const asked = messagesOf(grader.input, { item: question?.item ?? {}, sample: { output_text: answer } });
      const score = scoreOf(await judge.ask([...asked, { role: 'user', content: asksFor }]));
      replies++;
      if (score === null) nonsense++;
      if (
        (nonsense === replies && replies >= firstReplies) ||
        (replies >= enoughReplies && nonsense > mostNonsense * replies)
      )
        throw new NomoatError({
          part: `the judge ${judge.name}`,
          fault: `gave no opinion in ${nonsense} of ${replies} replies: it was asked to "${asksFor}"`,
          remedy: 'Take another judge.',
          kind: 'failed',
        });
      return score ?? 0;
    },
  };
}
