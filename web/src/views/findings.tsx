import { useStore } from "../data/context";
import { type Row, SEVERITIES } from "../data/row";
import type { Store } from "../data/store";
import { Severity } from "../parts/severity";
import { term } from "../query/edit";
import { linkTo, sessionsLink } from "../route";
import { count, number, time } from "../words";

const SESSIONS_NAMED = 5;

interface Seen {
  id: string;
  rows: Row[];
}

function collect(store: Store): Seen[] {
  const seen = new Map<string, Seen>();
  for (const row of store.rows) {
    if (row.findings === "") continue;
    for (const id of new Set(row.findings.split(" "))) {
      const one = seen.get(id);
      if (one) one.rows.push(row);
      else seen.set(id, { id, rows: [row] });
    }
  }
  const weight = (id: string) => SEVERITIES.indexOf(store.findings.get(id)?.severity ?? "info");
  return [...seen.values()].sort((a, b) => weight(b.id) - weight(a.id) || b.rows.length - a.rows.length);
}

/** What an audit would object to, the gravest first. */
export function Findings() {
  const store = useStore();
  const list = collect(store);
  return (
    <>
      <header class="lead">
        <h1 tabIndex={-1}>
          {list.length === 0
            ? "Nothing to object to was found."
            : `${count(list.length, "thing")} to look at, whether or not the mail got through.`}
        </h1>
        <p class="soft">
          Findings are about how the mail was sent: passwords in clear, encryption that can be taken away,
          certificates, relays, odd clients.
        </p>
      </header>
      <ol class="findings">
        {list.map((seen) => (
          <li key={seen.id}>
            <One seen={seen} store={store} />
          </li>
        ))}
      </ol>
    </>
  );
}

function One({ seen: { id, rows }, store }: { seen: Seen; store: Store }) {
  const words = store.findings.get(id);
  return (
    <article>
      <h2>
        <Severity id={words?.severity ?? "info"} /> {words?.summary ?? id}
      </h2>
      {words?.meaning && <p>{words.meaning}</p>}
      {words?.guard && <p class="soft">{words.guard}</p>}
      {words?.advice && (
        <p>
          <span class="soft">What to do:</span> {words.advice}
        </p>
      )}
      <ul class="where">
        {rows.slice(0, SESSIONS_NAMED).map((row) => (
          <li key={row.index}>
            <a href={linkTo({ view: "session", id: row.id, query: term("finding", id) })}>
              {time(row.start)} {row.clientName || row.clientIp} → {row.serverName || row.serverIp}
            </a>
          </li>
        ))}
      </ul>
      <p class="soft">
        <a href={sessionsLink(term("finding", id))}>
          {rows.length === 1 ? "Show the session" : `Show the ${number(rows.length)} sessions`}
        </a>{" "}
        <code>{id}</code> {words?.references}
      </p>
    </article>
  );
}
