/**
 * The report: one page that says whether it worked, shows answers, costs, what was forgotten, what is inside and how it was made. Promises: it
 * holds everything that it shows and asks no server for anything, which its own policy forbids; no text of data or models becomes markup; it
 * says everything without a script as well. English and Chinese, light and dark, on paper and on a phone.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pageScript } from './browser.ts';
import type { ReportContent } from './content.ts';
import { headlineOf, type Tone } from './headline.ts';
import { escapeHtml, Html, html, jsonElement } from './markup.ts';
import { plotData } from './plot.ts';
import { label, say, type Text } from './say.ts';
import { answersSection } from './sections/answers.ts';
import { costSection } from './sections/cost.ts';
import { forgottenSection, insideSection } from './sections/inside.ts';
import { madeSection } from './sections/made.ts';
import { plotsOf, resultSection } from './sections/result.ts';
import { style } from './style.ts';
import { words } from './words.ts';

const { page } = words;

const sections = [
  { id: 'result', title: page.result, short: page.resultShort, render: resultSection },
  { id: 'answers', title: page.answers, short: page.answersShort, render: answersSection },
  { id: 'cost', title: page.cost, short: page.costShort, render: costSection },
  { id: 'forgotten', title: page.forgotten, short: page.forgottenShort, render: forgottenSection },
  { id: 'inside', title: page.inside, short: page.insideShort, render: insideSection },
  { id: 'made', title: page.made, short: page.madeShort, render: madeSection },
] as const;

const require = createRequire(import.meta.url);
/** uPlot as its authors publish it: its functions become one script of the page. */
const uPlotFile = (name: string): string => readFileSync(require.resolve(`uplot/dist/${name}`), 'utf8');

const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The title without the kind of report, and the kind. */
function titleOf({ evaluation, run }: ReportContent): { readonly title: Text; readonly kind: Text } {
  if (!run) {
    const model = evaluation?.models[0]?.name ?? '';
    return { title: page.titleEvaluation({ model }), kind: page.kindEvaluation };
  }
  const { method, model } = run.settings;
  if (method === 'pretrain') return { title: page.titlePretrain({ model }), kind: page.kindPretrain };
  return { title: page.titleTune({ model }), kind: method === 'full' ? page.kindFull : page.kindTune };
}

/** Signs that do not rest on colour alone. */
const signs: Readonly<Record<Tone, string>> = {
  good: '<path d="M4 12.5l5 5L20 6.5"/>',
  bad: '<path d="M6 6l12 12M18 6L6 18"/>',
  doubtful: '<path d="M12 5v9M12 18.5v.5"/>',
  open: '<path d="M8.5 9a3.5 3.5 0 1 1 4.8 3.2c-.9.4-1.3 1-1.3 2v.8M12 18.5v.5"/>',
};

function hero(content: ReportContent): Html {
  const { lead, title, tone } = headlineOf(content);
  const { kind } = titleOf(content);
  const { run } = content;
  const model = run?.settings.model ?? content.evaluation?.models[0]?.name ?? '';
  const stopped = run?.state === 'stopped-early' ? html`<span class="tag warn">${say(page.stoppedEarly)}</span>` : null;
  const when = run ? html`<span><time>${run.created.slice(0, 10)}</time></span>` : null;
  return html`<div class="hero ${tone}"><p class="kicker"><span>${say(kind)}</span><span>${model}</span>${when}${stopped}</p>
<h1><svg viewBox="0 0 24 24" aria-hidden="true">${new Html(signs[tone])}</svg><span>${say(title)}</span></h1><p class="lead">${say(lead)}</p></div>`;
}

function switches(): Html {
  const button = (group: string, value: string, content: Html, pressed: boolean): Html =>
    html`<button type="button" data-${group}="${value}" aria-pressed="${String(pressed)}">${content}</button>`;
  const icon = (path: string, name: Text): Html =>
    html`<svg viewBox="0 0 24 24" aria-hidden="true">${new Html(path)}</svg><span class="hidden">${say(name)}</span>`;
  return html`<div class="switches scripted"><div class="switch" role="group" ${label(page.language)}>${button('speak', 'en', html`<span lang="en">EN</span>`, true)}${button('speak', 'zh-Hans', html`<span lang="zh-Hans">中文</span>`, false)}</div>
<div class="switch" role="group" ${label(page.theme)}>${button('paint', 'auto', icon('<path d="M12 4a8 8 0 1 0 0 16z" fill="currentColor"/><circle cx="12" cy="12" r="8"/>', page.themeAuto), true)}${button('paint', 'light', icon('<circle cx="12" cy="12" r="4"/><path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4M17 17l1.4 1.4M18.4 5.6L17 7M7 17l-1.4 1.4"/>', page.themeLight), false)}${button('paint', 'dark', icon('<path d="M19 14.5A7.5 7.5 0 0 1 9.5 5a7.5 7.5 0 1 0 9.5 9.5z"/>', page.themeDark), false)}</div></div>`;
}

const bar = (): Html =>
  html`<header class="bar"><div><strong class="mark">nomoat</strong><nav ${label(page.sections)}>${sections.map(({ id, short }) => html`<a href="#${id}">${say(short)}</a>`)}</nav>${switches()}</div></header>`;

/** The page, whole. */
export function renderPage(content: ReportContent): string {
  const { title } = titleOf(content);
  const css = `${uPlotFile('uPlot.min.css')}${style}`;
  const plots = plotsOf(content).map(plotData);
  const scripts = [uPlotFile('uPlot.iife.min.js'), pageScript].map((text) => text.replace(/<\/script/gi, '<\\/script'));
  const policy = `default-src 'none'; style-src ${digest(css)}; script-src ${scripts.map(digest).join(' ')}; base-uri 'none'; form-action 'none'`;
  const body = sections.map(
    ({ id, render, title: name }) =>
      html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${say(name)}</h2>${render(content)}</section>`,
  );
  return `<!doctype html>
<html lang="en" data-title-en="${escapeHtml(title.en)}" data-title-zh="${escapeHtml(title.zh)}"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="generator" content="nomoat ${escapeHtml(content.version)}"><title>${escapeHtml(title.en)}</title><style>${css}</style></head>
<body>${html`<a class="skip" href="#result">${say(page.skip)}</a>${bar()}<main>${hero(content)}${body}</main><footer><p>${say(page.footer)} nomoat ${content.version}</p></footer>${jsonElement('plots', plots)}`.text}
${scripts.map((text) => `<script>${text}</script>`).join('\n')}
</body></html>
`;
}
