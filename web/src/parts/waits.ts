import type { LadderRecord, Origin } from "../data/record";

export interface Wait {
  from: number; // s since the session began
  to: number;
  for: Origin; // who was waited for
  what: string; // what ended the waiting, or what never came
}

/** The time between the steps, laid at the door of whoever spoke next, or whose turn it was. */
export function waits(ladder: LadderRecord, end: number): Wait[] {
  const list: Wait[] = [];
  let clock = 0;
  for (const rung of ladder.rungs) {
    if (rung.t_s === null) continue;
    const silent = rung.kind === "silence";
    const begin = rung.t_s;
    const lasted = rung.lasted_s ?? 0;
    const to = silent ? begin + lasted : begin;
    if (to > clock) list.push({ from: clock, to, for: rung.from, what: rung.text });
    clock = Math.max(clock, to);
    if (!silent && begin + lasted > clock) {
      list.push({ from: clock, to: begin + lasted, for: rung.from, what: rung.text });
      clock = begin + lasted;
    }
  }
  if (end > clock) list.push({ from: clock, to: end, for: "network", what: "until the last packet" });
  return list;
}

export const total = (list: Wait[], who: Origin) =>
  list.reduce((sum, wait) => (wait.for === who ? sum + wait.to - wait.from : sum), 0);
