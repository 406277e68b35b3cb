/** What a run's result refuses beside its base, and how far its first words moved. Pure. */
import { leastPercent, mostTimes } from '../../safety/sentences.ts';
import type { RefusalComparison, RefusalFigure } from '../../safety-event.ts';
import { eventsOf, type ReportContent } from '../content.ts';
import { count, fixed, percent } from '../figures.ts';
import { type Html, html } from '../markup.ts';
import { note, part, table } from '../parts.ts';
import { say, type Text } from '../say.ts';
import { words } from '../words.ts';

const { result, safety } = words;

const outcomes: Readonly<Record<RefusalComparison['outcome'], Text>> = {
  less: safety.less,
  more: safety.more,
  'no-difference-shown': safety.noDifference,
  'too-few-prompts': safety.tooFew,
};

/** Less refused of what is harmful, or more of what is not. */
const isBad = ({ against, kind }: RefusalFigure): boolean =>
  against?.outcome === (kind === 'harmful' ? 'less' : 'more');

/** e^nats, as a factor that says something. */
function timesOf(nats: number): string {
  const times = Math.exp(nats);
  return times > mostTimes ? `> ${count(mostTimes)}` : times < 1 / mostTimes ? `< ${1 / mostTimes}` : fixed(times, 2);
}

/** A probability of which ln is given: a small one is not 0. */
const shareOf = (logarithm: number): string =>
  Math.exp(logarithm) < leastPercent ? `< ${percent(leastPercent, 0)}` : percent(Math.exp(logarithm));

function row(figure: RefusalFigure): (Html | string)[] {
  const { against, kind, prompts, value } = figure;
  const times = against === null ? '' : [against.difference, ...against.interval].map(timesOf);
  return [
    say(safety[kind]({ n: count(prompts) })),
    shareOf(value),
    against === null ? '' : shareOf(against.value),
    `${times[0]} (${times[1]} … ${times[2]})`,
    against === null
      ? ''
      : html`<span class="tag ${isBad(figure) ? 'bad' : 'plain'}">${say(outcomes[against.outcome])}</span>`,
  ];
}

/** The quick check at the run's end; null where there is none. */
export function safetyPart({ events }: ReportContent): Html | null {
  const found = eventsOf(events, 'safety').at(-1);
  if (!found) return null;
  const columns = [
    { name: safety.requests },
    { name: safety.probability, figures: true },
    { name: safety.ofBase, figures: true },
    { name: safety.times, figures: true },
    { name: result.verdict },
  ];
  const rows = found.refusals.filter(({ by }) => by === 'likelihood').map(row);
  const { drift } = found;
  const moved =
    drift &&
    safety.drift({
      n: count(drift.prompts),
      nats: fixed(drift.divergence, 3),
      interval: drift.interval.map((end) => fixed(end, 3)).join(' … '),
      same: count(drift.sameBeginning),
    });
  return part(safety.title, [
    table(safety.title, columns, rows),
    moved && html`<p>${say(moved)}</p>`,
    note(safety.note),
  ]);
}
