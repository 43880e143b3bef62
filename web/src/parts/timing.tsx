import type { LadderRecord, Origin, SessionRecord } from "../data/record";
import { duration } from "../words";
import { total, type Wait, waits } from "./waits";

const ROWS = 14;
const LEAST = 0.001; // of the whole; less than that is not worth a line

const WHO: { id: Origin; label: string }[] = [
  { id: "client", label: "the client" },
  { id: "server", label: "the server" },
  { id: "network", label: "nobody" },
];

/** The longest waits as bars along the time of the session. */
export function Timing({ record, ladder }: { record: SessionRecord; ladder: LadderRecord }) {
  const whole = record.duration_s ?? 0;
  const all = waits(ladder, whole).filter(({ from, to }) => to - from >= whole * LEAST);
  if (whole <= 0 || all.length === 0) return <p>Everything is in one instant.</p>;
  const shown = [...all]
    .sort((a, b) => b.to - b.from - (a.to - a.from))
    .slice(0, ROWS)
    .sort((a, b) => a.from - b.from);
  const shares = WHO.map(({ id, label }) => ({ id, label, s: total(all, id) })).filter(
    ({ s }) => s >= whole * LEAST,
  );
  return (
    <div class="timing">
      <p>
        Of {duration(whole)},{" "}
        {shares.map(({ id, label, s }, i) => (
          <span key={id}>
            {i > 0 && (i === shares.length - 1 ? " and " : ", ")}
            <b>{duration(s)}</b> {i === 0 ? "were spent waiting for " : "for "}
            {label}
          </span>
        ))}
        .{all.length > shown.length && ` The ${ROWS} longest of ${all.length} waits:`}
      </p>
      <ol>
        {shown.map((wait) => (
          <Bar key={wait.from} wait={wait} whole={whole} />
        ))}
      </ol>
    </div>
  );
}

function Bar({ wait, whole }: { wait: Wait; whole: number }) {
  const left = (100 * wait.from) / whole;
  const width = Math.max(0.4, (100 * (wait.to - wait.from)) / whole);
  const first = wait.what.split("\n")[0] ?? "";
  return (
    <li>
      <span class="what" title={first}>
        <span class="who">{wait.for === "client" ? "C" : wait.for === "server" ? "S" : ""}</span> {first}
      </span>
      <span class="track">
        <span
          class={`bar w-${wait.for}`}
          style={{ marginLeft: `${Math.min(left, 99.6)}%`, width: `${width}%` }}
        />
      </span>
      <span class="num">{duration(wait.to - wait.from)}</span>
    </li>
  );
}
