/** The studio's page: its frame, and which page is in it. */

import type { JSX } from 'preact';
import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import 'report-style.css';
import './style.css';
import { lazy } from './lazy.tsx';
import { begin, paint, speak, type Theme, themeNow, useLook } from './look.ts';
import { Home } from './pages/home.tsx';
import { Runs } from './pages/runs.tsx';
import { Notice, Page } from './parts.tsx';
import { addressOf, type Place, usePlace } from './route.ts';
import { type LanguageName, languageNow, languages, w } from './words.ts';

const Chat = lazy(async () => (await import('./pages/chat/page.tsx')).Chat);
const Make = lazy(async () => (await import('./pages/make/page.tsx')).Make);
const Compare = lazy(async () => (await import('./pages/compare.tsx')).Compare);
const PullPage = lazy(async () => (await import('./pages/pull.tsx')).PullPage);
const Tour = lazy(async () => (await import('./pages/tour.tsx')).Tour);
const Combine = lazy(async () => (await import('./pages/combine.tsx')).Combine);
const Made = lazy(async () => (await import('./pages/made.tsx')).Made);
const Data = lazy(async () => (await import('./pages/data.tsx')).Data);
const Plan = lazy(async () => (await import('./pages/plan.tsx')).Plan);
const Run = lazy(async () => (await import('./pages/run.tsx')).Run);
const Server = lazy(async () => (await import('./pages/server.tsx')).Server);

function Content({ place }: { readonly place: Place }): JSX.Element {
  const [first = '', second] = place.path;
  if (first === '') return <Home />;
  if (first === 'data') return <Data key={place.query.get('files')} place={place} />;
  if (first === 'plan') return <Plan key={place.query.get('files')} place={place} />;
  if (first === 'runs') return second === undefined ? <Runs /> : <Run key={second} place={place} />;
  if (first === 'chat') return <Chat place={place} />;
  if (first === 'compare') return <Compare place={place} />;
  if (first === 'pull') return <PullPage />;
  if (first === 'tour') return <Tour place={place} />;
  if (first === 'make') return <Make place={place} />;
  if (first === 'combine') return <Combine place={place} />;
  if (first === 'made') return <Made place={place} />;
  if (first === 'server') return <Server />;
  return (
    <Page title={w().app.nothingHere}>
      <Notice>
        <a href={addressOf([])}>{w().app.home}</a>
      </Notice>
    </Page>
  );
}

const themes: readonly (readonly [Theme, JSX.Element])[] = [
  [
    'auto',
    <svg key="a" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M12 4a8 8 0 1 0 0 16z" fill="currentColor" />
      <circle cx="12" cy="12" r="8" />
    </svg>,
  ],
  [
    'light',
    <svg key="l" viewBox="0 0 24 24" aria-hidden="true">
      <circle cx="12" cy="12" r="4" />
      <path d="M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6l1.4 1.4M17 17l1.4 1.4M18.4 5.6L17 7M7 17l-1.4 1.4" />
    </svg>,
  ],
  [
    'dark',
    <svg key="d" viewBox="0 0 24 24" aria-hidden="true">
      <path d="M19 14.5A7.5 7.5 0 0 1 9.5 5a7.5 7.5 0 1 0 9.5 9.5z" />
    </svg>,
  ],
];

function Switches(): JSX.Element {
  const { app } = w();
  const names = { auto: app.themeAuto, light: app.themeLight, dark: app.themeDark };
  return (
    <div class="switches">
      <fieldset class="switch">
        <legend class="hidden">{app.language}</legend>
        {(Object.keys(languages) as LanguageName[]).map((each) => (
          <button
            key={each}
            type="button"
            data-speak={each}
            lang={each}
            aria-pressed={each === languageNow()}
            onClick={() => speak(each)}
          >
            {languages[each].name}
          </button>
        ))}
      </fieldset>
      <fieldset class="switch">
        <legend class="hidden">{app.theme}</legend>
        {themes.map(([theme, icon]) => (
          <button
            key={theme}
            type="button"
            data-paint={theme}
            aria-pressed={theme === themeNow()}
            aria-label={names[theme]}
            title={names[theme]}
            onClick={() => paint(theme)}
          >
            {icon}
          </button>
        ))}
      </fieldset>
    </div>
  );
}

/** Pages that have no place in the menu, by the page that they belong to. */
const inside: Readonly<Record<string, readonly string[]>> = {
  '': ['data', 'plan', 'make', 'pull', 'tour'],
  runs: ['compare'],
  combine: ['made'],
};

function Studio(): JSX.Element {
  useLook();
  const place = usePlace();
  const { app } = w();
  const [first = ''] = place.path;
  const pages = [
    ['', app.home],
    ['runs', app.runs],
    ['chat', app.chat],
    ['combine', app.combine],
    ['server', app.server],
  ] as const;
  const isIn = (path: string): boolean => path === first || (inside[path] ?? []).includes(first);
  return (
    <>
      <a class="skip" href="#content">
        {app.skip}
      </a>
      <header class="bar">
        <div>
          <a class="mark" href={addressOf([])} aria-label={app.title}>
            <img src="/studio/icon.svg" alt="" width="22" height="22" /> nomoat
          </a>
          <nav class="menu" aria-label={app.menu}>
            {pages.map(([path, name]) => (
              <a key={path} href={addressOf(path === '' ? [] : [path])} aria-current={isIn(path) ? 'page' : undefined}>
                {name}
              </a>
            ))}
          </nav>
          <Switches />
        </div>
      </header>
      <main id="content" tabIndex={-1}>
        <Content place={place} />
      </main>
    </>
  );
}

begin();
const root = document.getElementById('studio')!;
root.replaceChildren();
render(<Studio />, root);
