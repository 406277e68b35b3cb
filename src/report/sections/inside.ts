/** "What did it forget?" and "What is inside?". Pure. */
import { eventsOf, type ReportContent } from '../content.ts';
import { count, percent, short } from '../figures.ts';
import { type Html, html } from '../markup.ts';
import { facts, note } from '../parts.ts';
import { plotFigure } from '../plot.ts';
import { say } from '../say.ts';
import { words } from '../words.ts';
import { plotsOf } from './result.ts';

const { run: said } = words;

/** The section on forgetting, without its heading. */
export const forgottenSection = ({ run }: ReportContent): Html =>
  note(run?.settings.method === 'pretrain' ? said.forgetNothing : said.forgetNotMeasured);

const methods = { lora: said.methodLora, full: said.methodFull, pretrain: said.methodPretrain };

function precisionText({ events }: ReportContent): string | undefined {
  const chosen = eventsOf(events, 'precision').at(-1);
  if (!chosen) return undefined;
  const divergence = chosen.divergence === null ? '' : `, KL ${short(chosen.divergence)}`;
  return `${chosen.precision === 'int8' ? 'int8' : 'float32'} (${chosen.reason}${divergence})`;
}

/** The section without its heading. */
export function insideSection(content: ReportContent): Html {
  const { events, run } = content;
  if (!run) return note(said.noInside);
  const start = eventsOf(events, 'run-start').at(-1);
  const { alpha, method, rank, targetModules } = run.settings;
  const share = start ? percent(start.trainableParameters / start.parameters, 2) : '';
  return html`${facts([
    [said.model, run.settings.model],
    [said.architecture, start?.architecture],
    [said.method, say(methods[method])],
    [said.trained, start && say(said.ofAll({ trained: count(start.trainableParameters), all: count(start.parameters), share }))],
    [said.rank, method === 'lora' ? `${rank}, ${alpha}` : undefined],
    [said.modules, method === 'lora' ? targetModules.join(', ') : undefined],
    [said.precision, precisionText(content)],
  ])}<div class="pair">${plotsOf(content).slice(1).map(plotFigure)}</div>`; // biome-ignore format: a table
}
