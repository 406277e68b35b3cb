/** The page's colours, by what they say. Every pair that carries text has a contrast of at least 4.5 (WCAG 2.2, AA), which a test holds. Pure. */

/** By name, as CSS variables. */
type Palette = Readonly<Record<ColourName, string>>;
export type ColourName =
  | 'page'
  | 'surface'
  | 'raised'
  | 'text'
  | 'muted'
  | 'line'
  | 'accent'
  | 'good'
  | 'good-wash'
  | 'bad'
  | 'bad-wash'
  | 'warn'
  | 'warn-wash'
  | 'series-a'
  | 'series-b'
  | 'series-c';

export const light: Palette = {
  page: '#f7f7f5',
  surface: '#ffffff',
  raised: '#f1f2f0',
  text: '#16191d',
  muted: '#565f69',
  line: '#dfe2e0',
  accent: '#1d57b8',
  good: '#14693c',
  'good-wash': '#e4f4ea',
  bad: '#a81e14',
  'bad-wash': '#fdeae8',
  warn: '#7a4f00',
  'warn-wash': '#fdf2d9',
  'series-a': '#1d57b8',
  'series-b': '#b4480b',
  'series-c': '#5c6670',
};

export const dark: Palette = {
  page: '#0f1214',
  surface: '#171b1f',
  raised: '#21262b',
  text: '#e7eaed',
  muted: '#a3adb7',
  line: '#2e353c',
  accent: '#8ab8ff',
  good: '#6fd69b',
  'good-wash': '#12301f',
  bad: '#ff9a90',
  'bad-wash': '#3b1916',
  warn: '#f0c264',
  'warn-wash': '#33270c',
  'series-a': '#8ab8ff',
  'series-b': '#f5a25d',
  'series-c': '#a3adb7',
};

const variables = (palette: Palette): string =>
  Object.entries(palette)
    .map(([name, colour]) => `--${name}:${colour}`)
    .join(';');

/** Light unless the reader's system, or the reader, wants dark; on paper always light. */
export const paletteStyle = `:root{color-scheme:light;${variables(light)}}
@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light]){color-scheme:dark;${variables(dark)}}}
@media screen{:root[data-theme=dark]{color-scheme:dark;${variables(dark)}}}`;
