/** A run's curves as they grow. */
import { useMemo } from 'preact/hooks';
import type { RunEvent } from '../src/events.ts';
import type { Plot } from '../src/report/plot.ts';
import { plotsOf } from '../src/report/sections/result.ts';

const isDrawn = ({ series }: Plot): boolean => series.some(({ points }) => points.length > 0);

/** Those of the report that have points, the loss first. Of a long run they take longer than all the rest of a page, and are made anew when events come alone. */
export const useCurves = (events: readonly RunEvent[]): readonly Plot[] =>
  useMemo(
    () =>
      plotsOf({
        run: null,
        events,
        evaluation: null,
        updates: null,
        repeat: { command: '', recipe: null },
        evaluate: null,
        version: '',
      }).filter(isDrawn),
    [events],
  );
