import type { Line, SessionRecord } from "../data/record";
import { duration } from "../words";
import { Copy } from "./copy";

/** The lines as they were on the wire: every line of a reply begins with its code. */
export function wireLines(line: Line): string[] {
  if (line.from === "client") {
    if (line.verb === "(auth)") return [line.argument ?? "***"];
    return [[line.verb, line.argument].filter(Boolean).join(" ")];
  }
  const text = (line.text ?? "").split("\n");
  if (line.code === null) return text;
  return text.map((part, i) => `${line.code}${i < text.length - 1 ? "-" : " "}${part}`);
}

/** To be pasted into a ticket. */
export const asText = (record: SessionRecord) =>
  record.dialogue
    .flatMap((line) => wireLines(line).map((text) => `${line.from === "client" ? "C" : "S"}: ${text}`))
    .join("\n");

export function Dialogue({ record }: { record: SessionRecord }) {
  const proofs = new Set(
    record.verdict.evidence.map((evidence) => `${evidence.file ?? ""}:${evidence.frame}`),
  );
  const { before_tls: before, after_tls: after } = record.capabilities;
  return (
    <div class="dialogue">
      <p class="noprint">
        <Copy text={() => asText(record)} what="the dialogue as text" />{" "}
        <span class="soft">Passwords are never in this report.</span>
      </p>
      <ol>
        {record.dialogue.map((line, i) => (
          <Said key={i} line={line} proof={proofs.has(`${line.file ?? ""}:${line.frame}`)} />
        ))}
      </ol>
      {after && before && <Offers before={before} after={after} />}
    </div>
  );
}

const mood = ({ code }: Line) => (code === null ? "" : code >= 500 ? "bad" : code >= 400 ? "odd" : "");

function Said({ line, proof }: { line: Line; proof: boolean }) {
  const slow = line.delay_s !== null && line.delay_s >= 1;
  return (
    <li class={`${line.from} ${mood(line)}${proof ? " proof" : ""}`}>
      <span class="f" title="frame">
        {line.frame}
      </span>
      <span class="who" role="img" aria-label={line.from}>
        {line.from === "client" ? "C:" : "S:"}
      </span>
      <span class="wire">
        {wireLines(line).map((text, i) => (
          <span key={i}>{text}</span>
        ))}
      </span>
      {line.delay_s !== null && <span class={slow ? "d slow" : "d"}>{duration(line.delay_s)}</span>}
    </li>
  );
}

/** What the server offered in clear and what it offered inside TLS differs for a reason. */
function Offers({ before, after }: { before: Record<string, string>; after: Record<string, string> }) {
  const offer = ([name, parameters]: [string, string]) => (parameters ? `${name} ${parameters}` : name);
  const inClear = new Set(Object.entries(before).map(offer));
  const inside = Object.entries(after).map(offer);
  const gained = inside.filter((text) => !inClear.has(text));
  const lost = [...inClear].filter((text) => !inside.includes(text));
  if (gained.length + lost.length === 0) return null;
  return (
    <p class="soft">
      {gained.length > 0 && <>Offered only inside TLS: {gained.join(", ")}. </>}
      {lost.length > 0 && <>Offered only in clear: {lost.join(", ")}.</>}
    </p>
  );
}
