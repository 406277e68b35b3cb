/** What a run's result refuses beside its base, and how far its first words moved. Pure. */
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

function row(figure: RefusalFigure): (Html | string)[] {
  const { against, kind, prompts, value } = figure;
  const times =
    against === null ? '' : [against.difference, ...against.interval].map((nats) => fixed(Math.exp(nats), 2));
  return [
    say(safety[kind]({ n: count(prompts) })),
    percent(Math.exp(value)),
    against === null ? '' : percent(Math.exp(against.value)),
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
