import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Series {
  label: string;
  values: readonly (number | null)[];
  /** Name of a colour token. */
  colour: string;
}

export interface ChartProps {
  /** Points in time, in seconds since 1970, ascending. */
  times: readonly number[];
  series: readonly Series[];
  kind: 'steps' | 'bars';
  /** What the picture shows, for those who do not see it. The numbers must also stand beside it. */
  label: string;
  height?: number;
}

const LEAST_TOP = 4;
const DAY_SECONDS = 86_400;

const clock = new Intl.DateTimeFormat(navigator.languages, { hour: 'numeric', minute: '2-digit' });
const day = new Intl.DateTimeFormat(navigator.languages, { day: 'numeric', month: 'short' });

/** The marks of the time axis as the visitor writes times: by day where a mark stands for one, and with the day where it changes. */
function timesInWords(_plot: uPlot, marks: readonly number[], _axis: number, _space: number, step: number): string[] {
  let before = '';
  return marks.map((seconds) => {
    const at = new Date(seconds * 1000);
    const date = day.format(at);
    const isNew = date !== before;
    before = date;
    if (step >= DAY_SECONDS) return date;
    return isNew ? `${clock.format(at)}\n${date}` : clock.format(at);
  });
}

function optionsOf({ series, kind, height = 220 }: ChartProps, width: number): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const font = `12px ${style.getPropertyValue('--sans')}`;
  const axis: uPlot.Axis = {
    stroke: colour('--ink-soft'),
    font,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line'), width: 1 },
  };
  const paths =
    kind === 'bars' ? uPlot.paths.bars?.({ size: [0.7, 48], radius: 0.2 }) : uPlot.paths.stepped?.({ align: 1 });
  return {
    width,
    height,
    padding: [12, 8, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(LEAST_TOP, max * 1.1)] } },
    axes: [
      { ...axis, grid: { show: false }, values: timesInWords },
      {
        ...axis,
        size: 48,
        incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 50_000, 100_000, 1_000_000],
      },
    ],
    series: [
      {},
      ...series.map((one) => ({
        label: one.label,
        stroke: colour(one.colour),
        width: kind === 'bars' ? 0 : 2,
        points: { show: false },
        ...(kind === 'bars' ? { fill: colour(one.colour) } : {}),
        ...(paths === undefined ? {} : { paths }),
      })),
    ],
  };
}

/** A chart over time, by uPlot. It has the colours of the page and follows its width. */
export default function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = [props.times, ...props.series.map(({ values }) => values)] as uPlot.AlignedData;
  const latest = useRef({ props, data });
  latest.current = { props, data };
  const shape = `${props.kind} ${props.series.map(({ label }) => label).join()}`;
  useEffect(() => {
    const element = place.current;
    if (element === null) return () => {};
    const draw = () => {
      plot.current?.destroy();
      plot.current = new uPlot(optionsOf(latest.current.props, element.clientWidth), latest.current.data, element);
    };
    draw();
    const observer = new ResizeObserver(() => {
      const { height = 220 } = latest.current.props;
      plot.current?.setSize({ width: element.clientWidth, height });
    });
    observer.observe(element);
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', draw);
    return () => {
      observer.disconnect();
      dark.removeEventListener('change', draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => plot.current?.setData(data), [JSON.stringify(data)]);
  return <div ref={place} className="chart" role="img" aria-label={props.label} />;
}
