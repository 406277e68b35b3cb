/** The page's style: for a phone first, then wider, dark and on paper. No attribute of an element carries style, so that the page's policy can name this text by its digest. */
import { paletteStyle } from './palette.ts';

const frame = `*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:4.25rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--text);font:400 1rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans",sans-serif;overflow-wrap:break-word}
html[lang=zh-Hans] body{font-family:system-ui,-apple-system,"PingFang SC","Hiragino Sans GB","Microsoft YaHei","Noto Sans CJK SC","Source Han Sans SC",sans-serif;line-height:1.7}
html[lang=en] .zh,html[lang=zh-Hans] .en{display:none}
:root:not([data-script]) .scripted{display:none}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
a{color:var(--accent)}
.skip{position:absolute;left:-100vw;top:0;z-index:3;padding:.5rem 1rem;background:var(--surface)}
.skip:focus{left:0}
.bar{position:sticky;top:0;z-index:2;background:var(--page);border-bottom:1px solid var(--line)}
.bar>div{display:flex;align-items:center;gap:1.5rem;min-height:3.25rem}
.bar>div,main,footer{max-width:64rem;margin-inline:auto;padding-inline:clamp(1rem,4vw,2rem)}
.mark{font-size:1.0625rem;font-weight:700;letter-spacing:-.02em}
nav{display:none;gap:1.25rem;font-size:.875rem}
nav a{color:var(--muted);text-decoration:none;padding-block:.25rem}
nav a:hover{color:var(--text)}
.switches{display:flex;gap:.625rem;margin-left:auto}
.switch{display:flex;padding:2px;border:1px solid var(--line);border-radius:8px;background:var(--surface)}
button{font:inherit;color:inherit;background:none;border:0;cursor:pointer}
.switch button{display:flex;align-items:center;justify-content:center;min-width:2rem;height:1.75rem;padding:0 .5rem;border-radius:6px;font-size:.8125rem;color:var(--muted)}
.switch button[aria-pressed=true]{background:var(--raised);color:var(--text);font-weight:600}
svg{fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.lineage{display:block;max-width:none;stroke-width:1.5}
.lineage path{stroke:var(--muted)}
.lineage rect{fill:var(--surface);stroke:var(--line)}
.lineage .adapter rect{stroke:var(--accent)}
.lineage .data rect{fill:var(--raised)}
.lineage text{fill:var(--text);stroke:none;font-size:13px}
.lineage .kind,.lineage .weight{fill:var(--muted);font-size:12px}
.switch svg{width:1rem;height:1rem}
footer{margin-top:4rem;padding-block:1.5rem 2.5rem;color:var(--muted);font-size:.8125rem}
footer p{border-top:1px solid var(--line);padding-top:1.25rem;margin:0}`;

const text = `.hero{padding:2.25rem 0 .5rem}
.kicker{display:flex;flex-wrap:wrap;align-items:center;gap:.25rem 0;margin:0 0 .875rem;color:var(--muted);font-size:.875rem}
.kicker>span:not(.tag,:last-child)::after{content:"·";margin-inline:.5rem}
h1{display:flex;gap:.875rem;margin:0;font-size:clamp(1.5rem,1.1rem + 2.2vw,2.375rem);font-weight:680;line-height:1.18;letter-spacing:-.021em;text-wrap:pretty}
html[lang=zh-Hans] h1{letter-spacing:0;line-height:1.3}
h1 svg{flex:none;width:1.5em;height:1.5em;margin-top:-.16em;padding:.3em;border-radius:50%;stroke-width:2.6}
.good h1 svg{background:var(--good-wash);color:var(--good)}
.bad h1 svg{background:var(--bad-wash);color:var(--bad)}
.doubtful h1 svg{background:var(--warn-wash);color:var(--warn)}
.open h1 svg{background:var(--raised);color:var(--muted)}
.lead{max-width:46rem;margin:.875rem 0 0;font-size:1.125rem;line-height:1.5;color:var(--muted)}
section{margin-top:3.25rem}
section>*+:not(h3,h4,.note){margin-top:1rem}
section>h2+*,section>h3+*{margin-top:0}
h2{margin:0 0 1rem;font-size:1.375rem;font-weight:660;line-height:1.25;letter-spacing:-.012em}
html[lang=zh-Hans] h2{letter-spacing:0}
h3{margin:2rem 0 .625rem;font-size:1rem;font-weight:640}
h4{margin:1.5rem 0 .25rem;font-size:.9375rem;font-weight:600}
.note{max-width:46rem;margin:.625rem 0;color:var(--muted);font-size:.875rem}
.lead code,.note code,.doubts code,.notices code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.9em}
.tag{display:inline-block;padding:.0625rem .5rem;border-radius:99px;background:var(--raised);color:var(--muted);font-size:.75rem;font-weight:560;line-height:1.5;white-space:nowrap;vertical-align:.0625rem}
.tag.good{background:var(--good-wash);color:var(--good)}
.tag.bad{background:var(--bad-wash);color:var(--bad)}
.tag.warn{background:var(--warn-wash);color:var(--warn)}
.kicker .tag{margin-left:.75rem}
.doubts{display:grid;gap:.5rem;margin:0;padding:0;list-style:none;font-size:.9375rem}
.doubts li{padding:.625rem .875rem;border:1px solid var(--line);border-left:4px solid var(--muted);border-radius:8px;background:var(--surface)}
.doubts .tag{margin-right:.375rem}
.doubts li.bad{border-left-color:var(--bad)}
.doubts li.warn{border-left-color:var(--warn)}
.notices{margin:.5rem 0;padding-left:1.25rem;font-size:.875rem}
.notices li{margin-block:.25rem}`;

const tables = `.scroll,.scores-box,.facts,.tiles>div,.example,figure,details,.code{background:var(--surface);border:1px solid var(--line);border-radius:10px}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;font-size:.875rem}
th,td{padding:.5625rem .75rem;text-align:left;vertical-align:top}
thead th{color:var(--muted);font-size:.8125rem;font-weight:500;vertical-align:bottom}
tbody th{font-weight:500;max-width:22rem}
tbody tr{border-top:1px solid var(--line)}
.narrow{max-width:36rem}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.25rem,1fr));gap:.625rem;margin:0 0 1rem}
.tiles>div{padding:.75rem .9375rem .8125rem}
dt{color:var(--muted)}
dd{margin:0}
.tiles dt{font-size:.8125rem}
.tiles b{display:block;white-space:nowrap;font-size:clamp(1.0625rem,.9rem + .8vw,1.25rem);font-weight:640;letter-spacing:-.012em;font-variant-numeric:tabular-nums;line-height:1.4}
.tiles small{color:var(--muted);font-size:.8125rem}
.facts{margin:0 0 1rem;font-size:.875rem}
.facts>div{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,3fr);gap:1rem;padding:.5rem .875rem;border-top:1px solid var(--line)}
.facts>div:first-child{border-top:0}
.facts dd{overflow-wrap:anywhere}
.mono dt,.mono dd{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;font-size:.8125rem}
.scores{display:block}
.scores thead{display:none}
.scores tbody,.scores tr{display:block}
.scores tr{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:.125rem 1rem;padding:.625rem .875rem}
.scores tbody tr:first-child{border-top:0}
.scores th,.scores td{padding:0}
.scores .graph{grid-column:1/-1;order:3}
.scores .range{grid-column:1/-1;order:4;text-align:left;color:var(--muted);font-size:.8125rem}
.track{display:block;overflow:visible}
.track .tick{stroke:var(--line);stroke-width:1}
.track .span{stroke:var(--series-c);stroke-width:6;stroke-linecap:round;opacity:.45}
.track circle{fill:var(--series-c);stroke:var(--surface);stroke-width:2}
.first .track .span{stroke:var(--series-a)}
.first .track circle{fill:var(--series-a)}
.model .track .span{stroke:var(--series-b)}
.model .track circle{fill:var(--series-b)}
.axis{display:flex;justify-content:space-between}
.matrix table{font-size:.75rem}
.matrix th,.matrix td{padding:.25rem .375rem}
.matrix tbody th{overflow-wrap:normal;white-space:nowrap;vertical-align:middle}
.matrix .scroll{width:fit-content;max-width:100%}
.matrix table{width:auto}
.matrix thead th{writing-mode:vertical-rl;transform:rotate(180deg);text-align:left;vertical-align:top;line-height:1.75rem}
.matrix thead th:first-child{writing-mode:horizontal-tb;transform:none;vertical-align:bottom;line-height:inherit}
.heat{display:block;min-width:1.75rem;padding:.125rem .25rem;border-radius:4px;text-align:center}
.heat-right-0,.heat-wrong-0{color:var(--muted)}`;

const heat = [1, 2, 3, 4, 5, 6]
  .map(
    (shade) =>
      `.heat-right-${shade}{background:color-mix(in srgb,var(--good) ${6 * shade}%,transparent)}.heat-wrong-${shade}{background:color-mix(in srgb,var(--bad) ${6 * shade}%,transparent)}.heat-plain-${shade}{background:color-mix(in srgb,var(--accent) ${6 * shade}%,transparent)}`,
  )
  .join('\n');

const answers = `.filters{display:flex;flex-wrap:wrap;align-items:center;gap:.375rem;margin:.75rem 0;font-size:.875rem}
.filters>span{color:var(--muted);margin-right:.25rem}
.filters button{padding:.25rem .75rem;border:1px solid var(--line);border-radius:99px;background:var(--surface)}
.filters button[aria-pressed=true]{background:var(--text);border-color:var(--text);color:var(--page)}
.filters small{opacity:.85}
.examples{display:grid;gap:.75rem}
.example{padding:.875rem .9375rem}
.example[hidden]{display:none}
.example h4{margin:0 0 .125rem;color:var(--muted);font-size:.75rem;font-weight:500}
.foreign{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate}
.question{max-width:52rem;font-weight:560}
.columns{display:grid;gap:.625rem;margin-top:.75rem}
.column{padding:.5rem .75rem .625rem;border-radius:8px;background:var(--raised);font-size:.9375rem;min-width:0}
.column h5{display:flex;flex-wrap:wrap;gap:.375rem;align-items:center;margin:0 0 .25rem;color:var(--muted);font-size:.75rem;font-weight:500}
.expected{background:none;box-shadow:inset 0 0 0 1px var(--line)}
.empty{color:var(--muted);font-style:italic}
mark{background:var(--bad-wash);color:var(--bad);border-radius:3px;padding:.0625em .125em;border-bottom:2px solid}
.expected mark{background:var(--good-wash);color:var(--good)}`;

const rest = `figure{margin:1rem 0;padding:.75rem .9375rem}
figcaption{margin-bottom:.375rem;font-size:.9375rem;font-weight:600}
figcaption small,summary small{color:var(--muted);font-weight:400;font-size:.8125rem}
.canvas{min-height:1px}
:root:not([data-script]) .canvas{display:none}
.uplot{font-family:inherit;width:100%}
.u-legend{margin:.25rem 0 0;text-align:left;font-size:.8125rem;color:var(--muted);font-variant-numeric:tabular-nums}
.u-legend th{font-weight:500;padding:0 .125rem;max-width:none}
.u-legend tr{border:0;margin-right:1rem}
.u-legend td{padding:0 .25rem;min-width:3.5rem;color:var(--text)}
.u-legend .u-series:first-child .u-marker{display:none}
.u-hz .u-cursor-x{border-color:var(--muted)}
.u-hz .u-cursor-y{display:none}
details{margin:.75rem 0;font-size:.9375rem}
summary{padding:.5625rem .875rem;cursor:pointer;font-weight:500}
details>*:not(summary){margin:0 .875rem .875rem}
details .facts,details .scroll{border-radius:8px}
.values{border:0;margin:.375rem 0 0}
.values summary{padding:.25rem 0;color:var(--muted);font-size:.8125rem;font-weight:400}
.values .scroll{margin:.25rem 0 .5rem;max-height:20rem}
.code{position:relative;margin:.5rem 0;overflow:hidden}
.code pre{margin:0;padding:.75rem .9375rem;padding-right:5.5rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere;font:.8125rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.code button{position:absolute;top:.4375rem;right:.4375rem;padding:.125rem .625rem;border:1px solid var(--line);border-radius:6px;background:var(--raised);font-size:.8125rem}
.code button .copied,.code button[data-copied] .copy{display:none}
.code button[data-copied] .copied{display:inline}
:root:not([data-script]) .code button{display:none}
details .code{margin:0 .875rem .875rem;border-radius:8px}
.pair{display:grid;gap:0 1rem}
.pair>*{min-width:0}
@media(max-width:45.99rem){
th,td{padding:.5rem .4375rem}
.scroll>table:not(.stacks) th:first-child{padding-left:.75rem}
.scroll>table:not(.stacks) tr>:last-child{padding-right:.75rem}
tbody th{overflow-wrap:anywhere;min-width:5.75rem}
.matrix tbody th{min-width:0}
.stacks,.stacks tbody,.stacks tr,.stacks th,.stacks td{display:block}
.stacks thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.stacks tr{padding:.5rem .75rem}
.stacks tbody tr:first-child{border-top:0}
.stacks th,.stacks td{padding:.0625rem 0;max-width:none}
.stacks th{font-weight:600}
.stacks td{display:flex;justify-content:space-between;gap:1rem;text-align:right;white-space:normal}
.stacks td::before{content:attr(data-en);color:var(--muted);text-align:left}
html[lang=zh-Hans] .stacks td::before{content:attr(data-zh)}
}
@media(min-width:46rem){
nav{display:flex}
.columns{grid-template-columns:repeat(auto-fit,minmax(13rem,1fr))}
.facts>div{grid-template-columns:15rem minmax(0,1fr)}
.scores{display:table}
.scores thead{display:table-header-group}
.scores tbody{display:table-row-group}
.scores tr{display:table-row}
.scores th,.scores td{padding:.5625rem .875rem;vertical-align:middle}
.scores .graph{width:42%;padding-inline:.5rem}
.scores .range{font-size:.875rem;text-align:right}
.pair{grid-template-columns:1fr 1fr}
}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}`;

const paper = `@page{margin:15mm}
@media print{
html{font-size:10.5pt}
body{background:#fff}
.bar,.skip,.scripted,.code button{display:none}
main,footer{max-width:none;padding:0}
section{margin-top:1.75rem}
h2,h3,h4{break-after:avoid}
tr,.example,figure,.tiles,.doubts li{break-inside:avoid}
.example[hidden]{display:block}
.scroll,.values .scroll{overflow:visible;max-height:none}
.values,.u-legend .u-value,.u-legend .u-series:first-child{display:none}
th,td{padding:.25rem .375rem}
.n{white-space:normal}
.pair{grid-template-columns:1fr 1fr}
.columns{grid-template-columns:repeat(auto-fit,minmax(10rem,1fr))}
}`;

export const style = [paletteStyle, frame, text, tables, heat, answers, rest, paper].join('\n');
