import type { Row } from "./row";

/** What the overview says: counts over the rows, the largest first. */

export const isBad = (outcome: string) => outcome === "stuck" || outcome === "partial";

export interface Group {
  key: string;
  rows: number;
  bad: number;
  unknown: number;
  delivered: number;
  /** Of the rows that failed: how many of each cause, of each stage. */
  causes: Map<string, number>;
  stages: Map<string, number>;
  first: Row;
}

const add = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);

export function groupBy(rows: readonly Row[], keyOf: (row: Row) => string): Group[] {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const key = keyOf(row);
    if (key === "") continue;
    let group = groups.get(key);
    if (!group) {
      const counts = { rows: 0, bad: 0, unknown: 0, delivered: 0 };
      group = { key, ...counts, causes: new Map(), stages: new Map(), first: row };
      groups.set(key, group);
    }
    group.rows++;
    if (row.outcome === "delivered") group.delivered++;
    if (row.outcome === "unknown") group.unknown++;
    if (!isBad(row.outcome)) continue;
    group.bad++;
    add(group.causes, row.cause);
    add(group.stages, row.stage);
  }
  return [...groups.values()].sort((a, b) => b.bad - a.bad || b.rows - a.rows || (a.key < b.key ? -1 : 1));
}

export function countBy(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const row of rows) add(counts, keyOf(row));
  return counts;
}

export const largest = (counts: Map<string, number>): [string, number][] =>
  [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));

/** From the first to the last session; null without any that has a time. */
export function extent(rows: readonly Row[]): { from: number; to: number } | null {
  let from = Number.POSITIVE_INFINITY;
  let to = Number.NEGATIVE_INFINITY;
  for (const { start } of rows) {
    if (start < from) from = start;
    if (start > to) to = start;
  }
  return from <= to ? { from, to } : null;
}

const STEPS_S = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800,
  3600, 7200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000,
];

export interface Bins {
  step: number; // s
  starts: number[]; // s since 1970
  counts: Map<string, number[]>;
}

/** Sessions over time: how many of each key in each of at most `most` equal spans. */
export function bin(rows: readonly Row[], keyOf: (row: Row) => string, most: number): Bins | null {
  const range = extent(rows);
  if (!range) return null;
  const wanted = (range.to - range.from) / 1000 / most;
  const step = STEPS_S.find((s) => s >= wanted) ?? wanted;
  const first = Math.floor(range.from / 1000 / step);
  const length = Math.floor(range.to / 1000 / step) - first + 1;
  const starts = Array.from({ length }, (_, i) => (first + i) * step);
  const counts = new Map<string, number[]>();
  for (const row of rows) {
    if (Number.isNaN(row.start)) continue;
    const key = keyOf(row);
    let list = counts.get(key);
    if (!list) {
      list = Array<number>(length).fill(0);
      counts.set(key, list);
    }
    const at = Math.min(length - 1, Math.floor(row.start / 1000 / step) - first);
    list[at] = (list[at] ?? 0) + 1;
  }
  return { step, starts, counts };
}
