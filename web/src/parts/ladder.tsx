import type { LadderRecord, Rung, SessionRecord } from "../data/record";
import { duration, number } from "../words";

const NO_ARROW = new Set(["silence", "note"]);

/** Who says it to whom, for those who hear the page. */
const direction = ({ from }: Rung) =>
  from === "client" ? "client to server: " : from === "server" ? "server to client: " : "network to client: ";

export function Ladder({ record, ladder }: { record: SessionRecord; ladder: LadderRecord }) {
  const { client, server } = record;
  const proofs = ladder.rungs.filter((rung) => rung.evidence).length;
  return (
    <div class="ladder">
      <p class="soft note">
        {proofs > 0 && "The numbered steps in frames prove the verdict. "}The time on the left is since the
        session began.
      </p>
      <div class="ends" aria-hidden="true">
        <span>
          <b>Client</b> {client.name ?? client.ip}
        </span>
        <span>
          <b>Server</b> {server.name ?? server.ip}
        </span>
      </div>
      <ol>
        {ladder.rungs.map((rung, i) => (
          <Step key={i} rung={rung} before={ladder.rungs[i - 1]} />
        ))}
      </ol>
      {ladder.cut && <p>Steps are missing here: memory was short when this was made.</p>}
    </div>
  );
}

function frames({ frame, last_frame: last, file }: Rung): string {
  if (!frame) return "";
  const range = last && last !== frame ? `${frame} – ${last}` : `${frame}`;
  return file ? `${range} of ${file}` : range;
}

/** Since the beginning, fine enough to tell steps apart. */
function clock(s: number): string {
  if (s < 1) return `+${(s * 1000).toFixed(1)} ms`;
  return s < 100 ? `+${s.toFixed(2)} s` : `+${duration(s)}`;
}

/** What the verdict says of a step, unless the step itself says so. */
function adds(text: string, proves: string | null): string {
  if (!proves || text.toLowerCase().includes(proves.toLowerCase())) return "";
  return `: ${proves.replace(/; E(\d+): /g, "; evidence $1: ")}`;
}

const LINES = 3;

/** Of a long reply the first lines: it stands in full where the dialogue does. */
function short({ text, evidence }: Rung): string {
  const lines = text.split("\n");
  if (evidence || lines.length <= LINES) return text;
  return `${lines.slice(0, LINES - 1).join("\n")}\n… ${lines.length - LINES + 1} more lines`;
}

function Step({ rung, before }: { rung: Rung; before: Rung | undefined }) {
  const { kind, mood, from, evidence, proves, text, lost, encrypted } = rung;
  const plain = NO_ARROW.has(kind);
  const classes = ["rung", plain ? kind : `from-${from}`, `mood-${mood}`];
  if (evidence) classes.push("proof");
  if (lost) classes.push("lost");
  const at = frames(rung);
  const same = before?.t_s === rung.t_s;
  return (
    <li class={classes.join(" ")}>
      <span class="t">{same || rung.t_s === null ? "" : clock(rung.t_s)}</span>
      <div class="lane">
        {!plain && <span class="hidden">{direction(rung)}</span>}
        <span class="said">
          {encrypted && (
            <span class="lock" title="inside TLS">
              TLS
            </span>
          )}
          {rung.code !== null && !text.startsWith(String(rung.code)) && <b>{rung.code} </b>}
          {short(rung)}
          {rung.packets !== null && rung.packets > 1 && <span class="soft"> ×{number(rung.packets)}</span>}
          {lost && <span class="soft"> (nothing shows that it arrived)</span>}
        </span>
        {!plain && <span class="arrow" aria-hidden="true" />}
        {evidence && (
          <span class="proves">
            <b>Evidence {evidence}</b>
            {adds(text, proves)}
          </span>
        )}
      </div>
      <span class="f">{at && <span title="frame in the capture">{at}</span>}</span>
    </li>
  );
}
