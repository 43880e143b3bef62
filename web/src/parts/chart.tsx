import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Bins } from "../data/counts";
import { number, time } from "../words";

export interface Series {
  key: string;
  label: string;
  color: string; // name of a custom property
}

const HEIGHT = 220;

const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The time of day at each mark, and the day where a new one begins. */
const clock = (_chart: uPlot, marks: number[]) => {
  let day = "";
  const fine = marks.length > 1 && marks[1]! - marks[0]! < 60;
  return marks.map((mark) => {
    const text = new Date(mark * 1000).toISOString();
    const hour = text.slice(11, fine ? 19 : 16);
    if (text.slice(0, 10) === day) return hour;
    day = text.slice(0, 10);
    return `${hour}\n${day}`;
  });
};

/** Each series on top of those before it; drawn from the highest down, so that none is hidden. */
function stack(bins: Bins, series: Series[]): number[][] {
  const sum = bins.starts.map(() => 0);
  return series.map(({ key }) => {
    const counts = bins.counts.get(key);
    return sum.map((below, i) => {
      sum[i] = below + (counts?.[i] ?? 0);
      return sum[i]!;
    });
  });
}

function makeChart(box: HTMLElement, bins: Bins, series: Series[], pick: (from: number, to: number) => void) {
  const text = color("--soft");
  const axis = { stroke: text, font: `12px ${getComputedStyle(document.body).fontFamily}` };
  const grid = { stroke: color("--rule"), width: 1 };
  const end = bins.starts[bins.starts.length - 1]! + bins.step;
  const stacked = stack(bins, series);
  return new uPlot(
    {
      width: box.clientWidth,
      height: HEIGHT,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      legend: { show: false },
      cursor: { y: false, drag: { x: true, y: false, setScale: false }, points: { show: false } },
      scales: {
        x: { time: true, range: () => [bins.starts[0]!, end] },
        y: { range: (_u, _min, max) => [0, Math.max(max, 1) * 1.08] },
      },
      axes: [
        { ...axis, grid: { show: false }, ticks: grid, space: 70, values: clock },
        {
          ...axis,
          grid,
          ticks: { show: false },
          size: 44,
          incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000],
        },
      ],
      series: [
        {},
        ...series
          .map(({ label, color: name }) => ({
            label,
            fill: color(name),
            stroke: color("--paper"),
            width: 1,
            points: { show: false },
            paths: uPlot.paths.bars!({ size: [0.92, 64], align: 1 }),
          }))
          .reverse(),
      ],
      hooks: {
        setSelect: [
          (u) => {
            if (u.select.width < 3) return;
            const at = (pixels: number) => u.posToVal(pixels, "x") * 1000;
            pick(at(u.select.left), at(u.select.left + u.select.width));
          },
        ],
      },
    },
    [bins.starts, ...stacked.reverse()],
    box,
  );
}

interface Props {
  bins: Bins;
  series: Series[];
  title: string;
  pick: (from: number, to: number) => void;
}

/** Stacked bars over time. The same numbers are in a table below, for whoever cannot see or point. */
export function Chart({ bins, series, title, pick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let chart = box.current ? makeChart(box.current, bins, series, pick) : null;
    const again = () => {
      chart?.destroy();
      chart = box.current ? makeChart(box.current, bins, series, pick) : null;
    };
    const sizes = new ResizeObserver(() => {
      if (chart && box.current && box.current.clientWidth !== chart.width) {
        chart.setSize({ width: box.current.clientWidth, height: HEIGHT });
      }
    });
    if (box.current) sizes.observe(box.current);
    window.addEventListener("themechange", again);
    return () => {
      window.removeEventListener("themechange", again);
      sizes.disconnect();
      chart?.destroy();
    };
  }, [bins, series, pick]);
  return (
    <figure class="chart">
      <div ref={box} role="img" aria-label={`${title}. The numbers are in the table below.`} />
      <figcaption class="legend">
        {series.map(({ key, label, color: name }) => (
          <span key={key}>
            <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
              <rect width="10" height="10" rx="2" fill={`var(${name})`} />
            </svg>
            {label}
          </span>
        ))}
        <span class="hint noprint">Drag over a span to see its sessions.</span>
      </figcaption>
      <ChartTable bins={bins} series={series} />
    </figure>
  );
}

function ChartTable({ bins, series }: Pick<Props, "bins" | "series">) {
  return (
    <details class="noprint">
      <summary>The same as numbers</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Sessions over time as a table">
        <table>
          <thead>
            <tr>
              <th scope="col">From (UTC)</th>
              {series.map(({ key, label }) => (
                <th key={key} scope="col" class="num">
                  {label}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {bins.starts.map((start, i) =>
              series.some(({ key }) => bins.counts.get(key)?.[i]) ? (
                <tr key={start}>
                  <th scope="row">{time(start * 1000)}</th>
                  {series.map(({ key }) => (
                    <td key={key} class="num">
                      {number(bins.counts.get(key)?.[i] ?? 0)}
                    </td>
                  ))}
                </tr>
              ) : null,
            )}
          </tbody>
        </table>
      </section>
    </details>
  );
}
