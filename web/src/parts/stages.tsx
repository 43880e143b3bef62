import type { LadderRecord, SessionRecord } from "../data/record";
import { duration, STAGES } from "../words";

export interface Reached {
  id: string;
  took: number; // s
  failed: boolean;
}

/** The stages a session went through, how long each took, and which one ended it. */
export function reached(record: SessionRecord, ladder: LadderRecord): Reached[] {
  const bad = record.outcome === "stuck" || record.outcome === "partial";
  const ends = new Map<string, number>();
  let clock = 0;
  for (const rung of ladder.rungs) {
    if (rung.t_s === null) continue;
    const end = Math.max(clock, rung.t_s + (rung.lasted_s ?? 0));
    ends.set(rung.stage, (ends.get(rung.stage) ?? 0) + end - clock);
    clock = end;
  }
  const { stage } = record.verdict;
  if (bad && !ends.has(stage)) ends.set(stage, 0);
  return STAGES.filter(({ id }) => ends.has(id)).map(({ id }) => ({
    id,
    took: ends.get(id)!,
    failed: bad && id === stage,
  }));
}

export function Stages({ record, ladder }: { record: SessionRecord; ladder: LadderRecord }) {
  const stages = reached(record, ladder);
  return (
    <ol class="stages" aria-label="How far it got">
      {stages.map(({ id, took, failed }) => {
        const { label, long } = STAGES.find((stage) => stage.id === id)!;
        return (
          <li key={id} class={failed ? "failed" : ""} title={long}>
            <b>{label}</b>
            <span>
              {failed && "ended here"}
              {failed && took > 0 && ", "}
              {took > 0 && duration(took)}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
