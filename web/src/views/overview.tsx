import type { ComponentChildren } from "preact";
import { useCallback, useMemo, useState } from "preact/hooks";
import { useStore } from "../data/context";
import { bin, countBy, extent, type Group, groupBy, isBad, largest } from "../data/counts";
import type { Row } from "../data/row";
import type { Store } from "../data/store";
import { Chart, type Series } from "../parts/chart";
import { Shape } from "../parts/outcome";
import { usePrinting } from "../parts/print";
import { term } from "../query/edit";
import { go, linkTo, sessionsLink } from "../route";
import { bytes, count, firstSentence, number, OUTCOMES, percent, QUALITY, STAGES, span } from "../words";
import { headline } from "./headline";

const CAUSES_TOLD = 8;
const HOSTS_TOLD = 10;
const BINS = 60;
const FILES_NAMED = 3;

export function Overview() {
  const store = useStore();
  const { rows } = store;
  if (rows.length === 0) return <Nothing store={store} />;
  const range = extent(rows);
  const files = [...new Set(rows.map((row) => row.file))];
  return (
    <>
      <header class="lead">
        <h1 tabIndex={-1}>{headline(store)}</h1>
        <p class="soft">
          {count(rows.length, "session")} in{" "}
          {files.length <= FILES_NAMED ? files.join(", ") : count(files.length, "capture")}
          {range && <>, {span(range.from, range.to)}</>}.
          {store.summary && rows.length !== store.summary.sessions && (
            <> This report was made of a choice: {count(store.summary.sessions, "session")} were captured.</>
          )}
        </p>
        <Outcomes rows={rows} />
        <Actors store={store} />
      </header>
      <ToFix store={store} />
      <OverTime rows={rows} />
      <Matrix rows={rows} />
      <Hosts rows={rows} />
      <Limits store={store} />
    </>
  );
}

/** No sessions: then what was there instead is the answer. */
function Nothing({ store }: { store: Store }) {
  const { summary } = store;
  if (store.loading) return <h1 tabIndex={-1}>Reading the report …</h1>;
  if (!summary) return <h1 tabIndex={-1}>There is nothing in this report.</h1>;
  const chosen = summary.sessions > 0;
  const { read, filtered } = summary.frames;
  const unseen = read > 0 && filtered === read;
  return (
    <>
      <header class="lead">
        <h1 tabIndex={-1}>
          {chosen
            ? "No session fits what this report was asked for."
            : unseen
              ? "The filter left out everything that was captured."
              : "There was no mail in what was captured."}
        </h1>
        {chosen ? (
          <p>
            {count(summary.sessions, "session")} were captured, and none of them is what was asked for
            (--only, --cause, --client, --server, --since, --until) or only the summary was (-q).
          </p>
        ) : unseen ? (
          <p>All {count(read, "frame")} were left out by the filter (-f).</p>
        ) : (
          <p>
            {count(read, "frame")} were read
            {filtered > 0 && <>, {number(filtered)} of them left out by the filter (-f)</>}:{" "}
            {count(summary.traffic.tcp_connections, "TCP connection")},{" "}
            {count(summary.traffic.udp_packets, "UDP packet")},{" "}
            {count(summary.traffic.dns_packets, "DNS packet")}. If mail was sent meanwhile, it went another
            way than the one that was captured: capture on the sender's own machine, on all interfaces, with
            DNS (port 53) included, and press Send while it runs.
          </p>
        )}
      </header>
      <Limits store={store} />
    </>
  );
}

function Outcomes({ rows }: { rows: Row[] }) {
  const counts = countBy(rows, (row) => row.outcome);
  return (
    <div class="outcomes">
      <div class="share" aria-hidden="true">
        {OUTCOMES.map(({ id }) =>
          counts.get(id) ? <span key={id} class={`bg-${id}`} style={{ flexGrow: counts.get(id) }} /> : null,
        )}
      </div>
      <ul>
        {OUTCOMES.map(({ id, label, what }) => {
          const n = counts.get(id) ?? 0;
          const inside = (
            <>
              <Shape outcome={id} />
              <b>{number(n)}</b> <span class="label">{label}</span>{" "}
              <span class="soft">{percent(n, rows.length)}</span>
            </>
          );
          return (
            <li key={id} title={what}>
              {n > 0 ? (
                <a href={sessionsLink(`outcome:${id}`)}>{inside}</a>
              ) : (
                <span class="none">{inside}</span>
              )}
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** Whose turn it is, so that the report reaches them. */
function Actors({ store }: { store: Store }) {
  const bad = store.rows.filter((row) => isBad(row.outcome) && row.actor !== "none");
  if (bad.length === 0) return null;
  return (
    <p class="actors">
      <span class="soft">Who must act:</span>{" "}
      {largest(countBy(bad, (row) => row.actor)).map(([actor, n], i) => (
        <span key={actor}>
          {i > 0 && " · "}
          <a href={sessionsLink(`actor:${actor} outcome:stuck,partial`)}>
            {store.words?.actors[actor] ?? actor}
          </a>{" "}
          <b>{number(n)}</b>
        </span>
      ))}
    </p>
  );
}

function Part({ title, note, children }: { title: string; note?: string; children: ComponentChildren }) {
  return (
    <section class="part">
      <h2>{title}</h2>
      {note && <p class="soft note">{note}</p>}
      {children}
    </section>
  );
}

/** What stopped most mail: the sentence, who must act, and the first thing to try. */
function ToFix({ store }: { store: Store }) {
  const [all, showAll] = useState(false);
  const printing = usePrinting();
  const bad = store.rows.filter((row) => isBad(row.outcome));
  const groups = groupBy(bad, (row) => row.cause);
  if (bad.length === 0) return null;
  // On paper nobody can ask for the rest.
  const shown = all || printing ? groups : groups.slice(0, CAUSES_TOLD);
  return (
    <Part title="What stopped the mail">
      <ol class="causes">
        {shown.map((group) => (
          <Cause key={group.key} group={group} store={store} most={groups[0]!.bad} />
        ))}
      </ol>
      {groups.length > CAUSES_TOLD && (
        <button type="button" class="noprint" onClick={() => showAll(!all)}>
          {all ? "Show the most frequent only" : `Show all ${groups.length} causes`}
        </button>
      )}
    </Part>
  );
}

function Cause({ group, store, most }: { group: Group; store: Store; most: number }) {
  const { key, bad, first } = group;
  const words = store.causes.get(key);
  const link = sessionsLink(`${term("cause", key)} outcome:stuck,partial`);
  const actor = store.words?.actors[words?.actor ?? first.actor] ?? first.actor;
  return (
    <li>
      <a class="count" href={link} aria-label={`${count(bad, "session")} with ${key}`}>
        {number(bad)}
        <span class="meter" aria-hidden="true">
          <span style={{ width: `${(100 * bad) / most}%` }} />
        </span>
      </a>
      <div>
        {/* Of one session there is the exact sentence, of several only what they share. */}
        <p class="what">{bad === 1 ? first.summary : (words?.summary ?? first.summary)}</p>
        <p>
          <span class="soft">Who must act:</span> {actor}
          {first.advice && (
            <>
              <br />
              <span class="soft">Try first:</span> {firstSentence(first.advice)}
            </>
          )}
        </p>
        <p class="soft">
          <a class="noprint" href={link}>
            {bad === 1 ? "Show the session" : `Show the ${number(bad)} sessions`}
          </a>{" "}
          <code>{key}</code>
        </p>
      </div>
    </li>
  );
}

const OUTCOME_SERIES: Series[] = OUTCOMES.map(({ id, label }) => ({ key: id, label, color: `--${id}` }));
const CAUSE_SERIES = 5;

function causeSeries(rows: Row[]): Series[] {
  const top = largest(countBy(rows, (row) => row.cause)).slice(0, CAUSE_SERIES);
  return [
    ...top.map(([key], i) => ({ key, label: key, color: `--series-${i + 1}` })),
    { key: "other", label: "all others", color: "--series-6" },
  ];
}

function OverTime({ rows }: { rows: Row[] }) {
  const [by, set] = useState<"outcome" | "cause">("outcome");
  const made = useMemo(() => {
    if (by === "outcome") return { series: OUTCOME_SERIES, bins: bin(rows, (row) => row.outcome, BINS) };
    const bad = rows.filter((row) => isBad(row.outcome));
    const series = causeSeries(bad);
    const named = new Set(series.map(({ key }) => key));
    return { series, bins: bin(bad, (row) => (named.has(row.cause) ? row.cause : "other"), BINS) };
  }, [rows, rows.length, by]);
  const pick = useCallback((from: number, to: number) => {
    const iso = (ms: number) => new Date(ms).toISOString().slice(0, 23);
    go({ view: "sessions", query: `start>=${iso(from)} start<${iso(to)}` });
  }, []);
  if (!made.bins || made.bins.starts.length < 2) return null;
  const present = made.series.filter(({ key }) => made.bins!.counts.has(key));
  const title = by === "outcome" ? "Sessions over time, by outcome" : "Failed sessions over time, by cause";
  return (
    <Part title="Over time">
      <fieldset class="switch noprint">
        <legend class="hidden">What the bars show</legend>
        {(["outcome", "cause"] as const).map((value) => (
          <label key={value}>
            <input type="radio" name="over-time" checked={by === value} onChange={() => set(value)} />
            <span>{value === "outcome" ? "Outcomes" : "Causes of failure"}</span>
          </label>
        ))}
      </fieldset>
      <Chart bins={made.bins} series={present} title={title} pick={pick} />
    </Part>
  );
}

const serverOf = (row: Row) => row.serverName || row.serverIp;
const clientOf = (row: Row) => row.clientName || row.clientIp;

/** Where sessions ended: one line a server or client, one column a stage. */
function Matrix({ rows }: { rows: Row[] }) {
  const [by, set] = useState<"server" | "client">("server");
  const groups = groupBy(rows, by === "server" ? serverOf : clientOf).filter((group) => group.bad > 0);
  const stages = STAGES.filter(({ id }) => groups.some((group) => group.stages.has(id)));
  if (groups.length === 0) return null;
  const shown = groups.slice(0, HOSTS_TOLD);
  const most = Math.max(...shown.flatMap((group) => [...group.stages.values()]));
  return (
    <Part
      title="How far they got"
      note="Sessions that did not hand over all their mail, by the stage that ended them."
    >
      <fieldset class="switch noprint">
        <legend class="hidden">What a line is</legend>
        {(["server", "client"] as const).map((value) => (
          <label key={value}>
            <input type="radio" name="matrix" checked={by === value} onChange={() => set(value)} />
            <span>{value === "server" ? "By server" : "By client"}</span>
          </label>
        ))}
      </fieldset>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section class="scroll" tabIndex={0} aria-label="Stages">
        <table class="matrix">
          <thead>
            <tr>
              <th scope="col">{by === "server" ? "Server" : "Client"}</th>
              {stages.map(({ id, label, long }) => (
                <th key={id} scope="col" title={long} class="num">
                  {label}
                </th>
              ))}
              <th scope="col" class="num">
                Delivered
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((group) => (
              <tr key={group.key}>
                <th scope="row">{group.key}</th>
                {stages.map(({ id }) => (
                  <Cell
                    key={id}
                    n={group.stages.get(id) ?? 0}
                    most={most}
                    query={cellQuery(by, group.key, id)}
                  />
                ))}
                <td class="num good">{group.delivered ? number(group.delivered) : ""}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {groups.length > shown.length && (
        <p class="soft note">
          The {HOSTS_TOLD} with most failures of {number(groups.length)}.
        </p>
      )}
    </Part>
  );
}

const cellQuery = (by: string, host: string, stage: string) =>
  `${term(by, host)} ${term("stage", stage)} outcome:stuck,partial`;

function Cell({ n, most, query }: { n: number; most: number; query: string }) {
  if (n === 0) return <td class="num" />;
  const heat = Math.ceil((4 * n) / most);
  return (
    <td class={`num heat heat-${heat}`}>
      <a href={sessionsLink(query)}>{number(n)}</a>
    </td>
  );
}

function Hosts({ rows }: { rows: Row[] }) {
  return (
    <div class="pair">
      <HostList title="Servers that failed most" by="server" groups={groupBy(rows, serverOf)} />
      <HostList title="Clients that failed most" by="client" groups={groupBy(rows, clientOf)} />
    </div>
  );
}

function HostList({ title, by, groups }: { title: string; by: string; groups: Group[] }) {
  const failing = groups.filter((group) => group.bad > 0).slice(0, HOSTS_TOLD);
  if (failing.length === 0) return null;
  return (
    <Part title={title}>
      <table class="hosts">
        <thead>
          <tr>
            <th scope="col">{by === "server" ? "Server" : "Client"}</th>
            <th scope="col" class="num">
              Failed
            </th>
            <th scope="col">Mostly</th>
          </tr>
        </thead>
        <tbody>
          {failing.map((group) => {
            const [cause, times] = largest(group.causes)[0]!;
            return (
              <tr key={group.key}>
                <th scope="row">
                  <a href={sessionsLink(`${term(by, group.key)} outcome:stuck,partial`)}>{group.key}</a>
                </th>
                <td class="num">
                  {number(group.bad)} <span class="soft">of {number(group.rows)}</span>
                </td>
                <td>
                  <code>{cause}</code> <span class="soft">{number(times)}×</span>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Part>
  );
}

/** What the report cannot know, said as plainly as what it knows. */
function Limits({ store }: { store: Store }) {
  const { summary } = store;
  if (!summary) return null;
  const { frames } = summary;
  const named = (map: Record<string, number>) => Object.entries(map).filter(([, n]) => n > 0);
  const skipped = named(summary.skipped);
  const limits = named(summary.limits);
  return (
    <Part title="What was read">
      <p>
        {count(frames.read, "frame")} ({bytes(summary.bytes)}): {number(frames.decoded)} decoded,{" "}
        {number(frames.other)} of other protocols, {number(frames.undecodable)} that could not be decoded,{" "}
        {number(frames.filtered)} filtered out. Times are UTC. Frame numbers are those that Wireshark shows.
      </p>
      {(summary.damage.length > 0 || skipped.length > 0 || limits.length > 0) && (
        <ul>
          {summary.damage.map((damage) => (
            <li key={`${damage.file}${damage.offset}`}>
              <code>{damage.file}</code>, byte {number(damage.offset)}: {damage.what}
            </li>
          ))}
          {skipped.map(([reason, n]) => (
            <li key={reason}>
              {count(n, "frame")} not looked into: <code>{reason}</code>
            </li>
          ))}
          {limits.map(([name, n]) => (
            <li key={name}>
              {QUALITY["limits-hit"]}: <code>{name}</code>, {number(n)}×
            </li>
          ))}
        </ul>
      )}
      <p class="soft noprint">
        <a href={linkTo({ view: "sessions" })}>All sessions</a>
      </p>
    </Part>
  );
}
