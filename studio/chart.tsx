/** A chart of the report's, that grows while its run does. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { chartHeight, chartOptions } from '../src/report/browser.ts';
import { type Plot, plotData } from '../src/report/plot.ts';
import { useLook } from './look.ts';
import { figure, said } from './words.ts';

export function Chart({ plot }: { readonly plot: Plot }): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const look = useLook();
  const data = plotData(plot);
  const shape = `${look} ${data.series.map(({ name }) => name.en).join()}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another look or other lines are another chart
  useEffect(() => {
    const target = place.current;
    if (!target) return;
    // uPlot's own types are stricter than what it takes.
    const made = new uPlot(
      chartOptions(data, target.clientWidth) as uPlot.Options,
      data.columns as uPlot.AlignedData,
      target,
    );
    chart.current = made;
    const fit = new ResizeObserver(() => {
      const width = target.clientWidth;
      if (width > 0 && width !== made.width) made.setSize({ width, height: chartHeight(width) });
    });
    fit.observe(target);
    return () => {
      fit.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [shape]);
  useEffect(() => chart.current?.setData(data.columns as uPlot.AlignedData));
  const last = data.series.map(
    ({ name }, i) => `${said(name)} ${figure(data.columns[i + 1]!.findLast((value) => value !== null))}`,
  );
  return (
    <figure class="plot">
      <figcaption>
        {said(plot.title)} {plot.unit ? <small>{said(plot.unit)}</small> : null}
      </figcaption>
      <div class="canvas" ref={place} role="img" aria-label={`${said(plot.title)}: ${last.join(', ')}`} />
    </figure>
  );
}
