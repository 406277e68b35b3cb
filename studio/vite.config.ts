/** Builds the studio's page into dist/studio, with maps that hold its sources. */
import { resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { style as reportStyle } from '../src/report/style.ts';

/** The report's style is a text in TypeScript, since it stands in its page; here it is a file. */
const styleId = 'report-style.css';
const reportStyles: Plugin = {
  name: 'report-style',
  resolveId: (id) => (id === styleId ? `\0${styleId}` : null),
  load: (id) => (id === `\0${styleId}` ? reportStyle : null),
};

export default defineConfig({
  root: import.meta.dirname,
  base: '/studio/',
  plugins: [reportStyles],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // What runs in Node alone asks for it; the browser has none.
  define: { 'process.platform': '"linux"' },
  build: {
    outDir: resolve(import.meta.dirname, '../dist/studio'),
    emptyOutDir: true,
    sourcemap: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    // A picture in a style would be a `data:` address; there are none, and there shall be none.
    assetsInlineLimit: 0,
  },
});
