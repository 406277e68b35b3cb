/** "What did it forget?" and "What is inside?". Pure. */
import type { Forgetting } from '../../evaluate/trust/forgetting.ts';
import type { UpdateNorm } from '../../inspect/update-norms.ts';
import { isPreferenceMethod, type Method, trainsAdapter } from '../../settings/methods.ts';
import { eventsOf, type ReportContent } from '../content.ts';
import { count, percent, pValue, short } from '../figures.ts';
import { type Html, html } from '../markup.ts';
import { facts, note, part, table } from '../parts.ts';
import { plotFigure } from '../plot.ts';
import { say, verbatim } from '../say.ts';
import { words } from '../words.ts';
import { plotsOf } from './result.ts';
import { safetyPart } from './safety.ts';

const { run: said } = words;

/** The section on forgetting, without its heading. */
export function forgottenSection(content: ReportContent): Html {
  const { evaluation, run } = content;
  const found = evaluation?.findings.forgetting;
  const forgotten = found
    ? forgottenTable(found)
    : note(run?.settings.method === 'pretrain' ? said.forgetNothing : said.forgetNotMeasured);
  return html`${forgotten}${safetyPart(content)}`;
}

/** General text and questions, before and after. */
function forgottenTable({ after, answersPValue, before, lossPValue, questions }: Forgetting): Html {
  const { result } = words;
  const columns = [
    { name: said.what },
    { name: result.before, figures: true },
    { name: result.after, figures: true },
    { name: said.pUncorrected, figures: true },
  ];
  const rows = [
    [say(said.generalLoss), short(before.loss), short(after.loss), pValue(lossPValue)],
    [say(said.generalAnswers({ n: count(questions) })), count(before.right), count(after.right), pValue(answersPValue)],
  ];
  return table(said.generalLoss, columns, rows, true);
}

const methods = { lora: said.methodLora, full: said.methodFull, pretrain: said.methodPretrain };

const methodText = (method: Method) =>
  isPreferenceMethod(method) ? said.methodPreferences({ name: method.toUpperCase() }) : methods[method];

function precisionText({ events }: ReportContent): string | undefined {
  const chosen = eventsOf(events, 'precision').at(-1);
  if (!chosen) return undefined;
  const divergence = chosen.divergence === null ? '' : `, KL ${short(chosen.divergence)}`;
  return `${chosen.precision === 'int8' ? 'int8' : 'float32'} (${chosen.reason}${divergence})`;
}

const shades = 6;

/** Layers as rows, projections as columns: the darker, the more that weight was changed. */
function updatesPart(updates: readonly UpdateNorm[]): Html {
  const projections = [...new Set(updates.map(({ projection }) => projection))];
  const layers = [...new Set(updates.map(({ layer }) => layer))].sort((a, b) => a - b);
  const most = updates.reduce((greatest, { relative }) => Math.max(greatest, relative), 0);
  const found = new Map(updates.map((update) => [`${update.layer} ${update.projection}`, update]));
  const cell = (layer: number, projection: string): Html => {
    const update = found.get(`${layer} ${projection}`);
    if (!update) return html`·`;
    const shade = most === 0 ? 0 : Math.max(1, Math.ceil((shades * update.relative) / most));
    return html`<span class="heat heat-plain-${shade}">${percent(update.relative)}</span>`;
  };
  const columns = [{ name: said.layer }, ...projections.map((name) => ({ name: verbatim(name), figures: true }))];
  const rows = layers.map((layer) => [count(layer), ...projections.map((projection) => cell(layer, projection))]);
  const mean = updates.reduce((sum, { effectiveRank }) => sum + effectiveRank, 0) / Math.max(1, updates.length);
  return part(said.layers, [
    note(said.layersNote({ rank: short(Number(mean.toPrecision(2))) })),
    html`<div class="matrix">${table(said.layers, columns, rows, true)}</div>`,
  ]);
}

/** The section without its heading. */
export function insideSection(content: ReportContent): Html {
  const { events, run, updates } = content;
  if (!run) return note(said.noInside);
  const start = eventsOf(events, 'run-start').at(-1);
  const { alpha, method, rank, targetModules } = run.settings;
  const share = start ? percent(start.trainableParameters / start.parameters, 2) : '';
  return html`${facts([
    [said.model, run.settings.model],
    [said.architecture, start?.architecture],
    [said.method, say(methodText(method))],
    [said.trained, start && say(said.ofAll({ trained: count(start.trainableParameters), all: count(start.parameters), share }))],
    [said.rank, trainsAdapter(method) ? `${rank}, ${alpha}` : undefined],
    [said.modules, trainsAdapter(method) ? targetModules.join(', ') : undefined],
    [said.precision, precisionText(content)],
  ])}${updates === null ? null : updatesPart(updates)}<div class="pair">${plotsOf(content).slice(1).map(plotFigure)}</div>`; // biome-ignore format: a table
}
