/** A chart of the report's, that grows while its run does. */
import type { JSX } from 'preact';
import { useEffect, useMemo, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { chartHeight, chartOptions } from '../src/report/browser.ts';
import { type Plot, plotData } from '../src/report/plot.ts';
import { useLook } from './look.ts';
import { figure, said } from './words.ts';

/** Lines of many runs are told apart by their dashes too: there are three colours. */
const dashes: readonly (readonly number[])[] = [[], [8, 4], [2, 3], [12, 3, 2, 3]];
const colours = 3;

interface ChartProps {
  readonly plot: Plot;
  /** Where something happened: a line with its number. */
  readonly marks?: readonly number[];
}

const markFont = '11px system-ui, sans-serif';

/** Lines across the chart, with the numbers that a list beside it has. */
function drawMarks({ bbox, ctx, valToPos }: uPlot, marks: readonly number[]): void {
  ctx.save();
  const ratio = devicePixelRatio;
  ctx.strokeStyle = ctx.fillStyle = getComputedStyle(document.documentElement).getPropertyValue('--muted').trim();
  ctx.lineWidth = ratio;
  ctx.font = markFont.replace('11', String(11 * ratio));
  ctx.textAlign = 'center';
  for (const [i, x] of marks.entries()) {
    const at = Math.round(valToPos(x, 'x', true));
    ctx.beginPath();
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.moveTo(at, bbox.top + 12 * ratio);
    ctx.lineTo(at, bbox.top + bbox.height);
    ctx.stroke();
    // Marks of one place share a line: their numbers stand beside each other.
    if (x !== marks[i - 1]) ctx.fillText(numbersAt(marks, x), at, bbox.top + 9 * ratio);
  }
  ctx.restore();
}

function numbersAt(marks: readonly number[], x: number): string {
  const numbers = marks.flatMap((each, i) => (each === x ? [i + 1] : []));
  return numbers.length > 2 ? `${numbers[0]}–${numbers.at(-1)}` : numbers.join(', ');
}

function optionsOf(data: ReturnType<typeof plotData>, width: number, marks: () => readonly number[]): uPlot.Options {
  // uPlot's own types are stricter than what it takes.
  const options = chartOptions(data, width) as uPlot.Options;
  if (data.series.length > colours)
    for (const [i, line] of options.series.slice(1).entries())
      line.dash = [...dashes[Math.floor(i / colours) % dashes.length]!];
  return { ...options, hooks: { draw: [(chart) => drawMarks(chart, marks())] } };
}

export function Chart({ marks = [], plot }: ChartProps): JSX.Element {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const look = useLook();
  const marked = useRef(marks);
  marked.current = marks;
  const data = useMemo(() => plotData(plot), [plot]);
  const latest = useRef(data.columns);
  latest.current = data.columns;
  const isSeen = useRef(true);
  const isDue = useRef(false);
  const shape = `${look} ${data.series.map(({ name }) => name.en).join()}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another look or other lines are another chart
  useEffect(() => {
    const target = place.current;
    if (!target) return;
    const options = optionsOf(data, target.clientWidth, () => marked.current);
    const made = new uPlot(options, data.columns as uPlot.AlignedData, target);
    chart.current = made;
    const fit = new ResizeObserver(() => {
      const width = target.clientWidth;
      if (width > 0 && width !== made.width) made.setSize({ width, height: chartHeight(width) });
    });
    fit.observe(target);
    // Out of sight nothing is drawn; what came meanwhile is when it is seen.
    const seen = new IntersectionObserver((entries) => {
      isSeen.current = entries.at(-1)?.isIntersecting ?? true;
      if (!isSeen.current || !isDue.current) return;
      isDue.current = false;
      made.setData(latest.current as uPlot.AlignedData);
    });
    seen.observe(target);
    return () => {
      fit.disconnect();
      seen.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [shape]);
  useEffect(() => {
    if (isSeen.current) return chart.current?.setData(data.columns as uPlot.AlignedData);
    isDue.current = true;
  }, [data]);
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
