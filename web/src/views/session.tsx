import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { useStore } from "../data/context";
import type { SessionRecord } from "../data/record";
import type { Row } from "../data/row";
import type { Opened, Store } from "../data/store";
import { Copy } from "../parts/copy";
import { Dialogue } from "../parts/dialogue";
import { Facts } from "../parts/facts";
import { Ladder } from "../parts/ladder";
import { Mail } from "../parts/mail";
import { Outcome } from "../parts/outcome";
import { Severity } from "../parts/severity";
import { Stages } from "../parts/stages";
import { Timing } from "../parts/timing";
import { TlsPanel } from "../parts/tls";
import { useFound } from "../query/run";
import { linkTo, type Route } from "../route";
import { CONFIDENCE, count, exactTime, QUALITY, stageWords } from "../words";
import { Story } from "./mails";
import { readStep } from "./step";
import { asTicket } from "./ticket";

/** One session: the sentence, what to do, and everything that proves it. */
export function Session({ route }: { route: Route }) {
  const store = useStore();
  const row = store.find(route.id);
  const [opened, set] = useState<Opened | null>(null);
  useEffect(() => {
    let wanted = true;
    if (row) void store.open(row).then((made) => wanted && set(made));
    return () => {
      wanted = false;
    };
  }, [row, store]);
  const here = opened?.record.id === route.id;
  // The head that had the focus while the record was looked up has been replaced.
  useEffect(() => {
    if (here && document.activeElement === document.body) {
      document.querySelector<HTMLElement>("#main h1")?.focus({ preventScroll: true });
    }
  }, [here]);
  if (!row) return <Unknown store={store} id={route.id} />;
  if (!opened || !here) {
    return (
      <h1 tabIndex={-1} class="verdict">
        {row.summary}
      </h1>
    );
  }
  return (
    <article class="session">
      <Way row={row} route={route} opened={opened} store={store} />
      <Head store={store} record={opened.record} />
      <Advice record={opened.record} />
      <Parts store={store} opened={opened} />
    </article>
  );
}

function Unknown({ store, id }: { store: Store; id: string }) {
  return (
    <>
      <h1 tabIndex={-1}>{store.loading ? "Reading the report …" : "This session is not in this report."}</h1>
      {!store.loading && (
        <p>
          The link asks for session <code>{id}</code>. The same session has the same id in every report of the
          same packets, but not in one made with --anonymize.{" "}
          <a href={linkTo({ view: "sessions" })}>All sessions</a>
        </p>
      )}
    </>
  );
}

/** Back to the list, and to its neighbours there. */
function Way({ row, route, opened, store }: { row: Row; route: Route; opened: Opened; store: Store }) {
  const { rows } = useFound(route.query, route.sort);
  const at = rows.indexOf(row);
  const to = (other: Row | undefined) => other && linkTo({ ...route, id: other.id });
  const before = to(rows[at - 1]);
  const after = at >= 0 ? to(rows[at + 1]) : undefined;
  const list = linkTo({ view: "sessions", query: route.query, sort: route.sort });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if ((event.target as HTMLElement).closest("input, select, textarea, dialog")) return;
      if (event.key === "k" && before) location.hash = before;
      else if (event.key === "j" && after) location.hash = after;
      else if (event.key === "u") location.hash = list;
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [before, after, list]);
  return (
    <nav class="way noprint" aria-label="Sessions">
      <a href={list}>{route.query ? `Back to the sessions found` : "All sessions"}</a>
      {at >= 0 && (
        <span class="soft">
          {at + 1} of {rows.length}
        </span>
      )}
      {before && (
        <a href={before} rel="prev">
          Previous
        </a>
      )}
      {after && (
        <a href={after} rel="next">
          Next
        </a>
      )}
      <Copy text={() => location.href} label="Copy link" what="to this session" />
      <Copy text={() => asTicket(opened.record, store)} label="Copy as text" what="for a ticket" />
    </nav>
  );
}

function Head({ store, record }: { store: Store; record: SessionRecord }) {
  const { verdict, client, server } = record;
  const { words } = store;
  const again = words?.permanences[verdict.permanence];
  const place = server.name ?? server.ip ?? "a server whose address is not known";
  return (
    <header class={`lead bar-${record.outcome}`}>
      <p class="kicker">
        <Outcome id={record.outcome} />
        <span>
          {client.name ?? client.ip} → {place}
          {server.port && `, port ${server.port}`}
        </span>
        <span>{exactTime(record.start)}</span>
      </p>
      <h1 tabIndex={-1} class="verdict">
        {verdict.summary}
      </h1>
      <dl class="facts lined">
        {verdict.actor !== "none" && (
          <div>
            <dt>Who must act</dt>
            <dd>
              <b>{words?.actors[verdict.actor] ?? verdict.actor}</b>
            </dd>
          </div>
        )}
        {again && (
          <div>
            <dt>Trying again</dt>
            <dd>{again}</dd>
          </div>
        )}
        <div>
          <dt>Ended at</dt>
          <dd>{stageWords(verdict.stage)}</dd>
        </div>
        <div>
          <dt>How sure</dt>
          <dd>
            {verdict.confidence}: {CONFIDENCE[verdict.confidence]}
          </dd>
        </div>
        <div>
          <dt>Cause</dt>
          <dd>
            <a href={linkTo({ view: "sessions", query: `cause:${verdict.cause}` })}>
              <code>{verdict.cause}</code>
            </a>
          </dd>
        </div>
      </dl>
      {verdict.reply && (
        <blockquote>
          <p class="soft">The server said</p>
          <p class="wire">
            <b>{verdict.reply.code}</b> {verdict.reply.text}
          </p>
        </blockquote>
      )}
    </header>
  );
}

function Advice({ record }: { record: SessionRecord }) {
  const { advice, client_codes: codes } = record.verdict;
  if (advice.length === 0) return null;
  return (
    <section class="part advice">
      <h2>What to do</h2>
      <ol>
        {advice.map((step, i) => (
          <Step key={i} text={step} />
        ))}
      </ol>
      {codes.length > 0 && (
        <details class="codes">
          <summary>What the user's program may show for this</summary>
          <dl class="facts">
            {codes.map(({ client, code }) => (
              <div key={client + code}>
                <dt>{client}</dt>
                <dd>
                  <code>{code}</code>
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </section>
  );
}

/** What to do in a word, and where that is in each mail program. */
function Step({ text }: { text: string }) {
  const { first, rest, places } = readStep(text);
  return (
    <li>
      <div>
        <b>{first}</b>
        {rest && ` ${rest}`}
        {places.length > 0 && (
          <dl class="facts places">
            {places.map(({ program, way }) => (
              <div key={program}>
                <dt>{program}</dt>
                <dd>{way}</dd>
              </div>
            ))}
          </dl>
        )}
      </div>
    </li>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="part">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Parts({ store, opened }: { store: Store; opened: Opened }) {
  const { record, ladder } = opened;
  const story = store.story(record.id);
  return (
    <>
      {story && (
        <Part title="The whole story of this mail">
          <Story story={story} here={record.id} />
        </Part>
      )}
      <Part title="What was seen">
        <p class="prose">{record.verdict.explanation}</p>
        <Doubts record={record} />
      </Part>
      {ladder && ladder.rungs.length > 0 && (
        <>
          <Part title="Step by step">
            <Stages record={record} ladder={ladder} />
            <Ladder record={record} ladder={ladder} />
          </Part>
          <Part title="Where the time went">
            <Timing record={record} ladder={ladder} />
          </Part>
        </>
      )}
      {record.messages.length > 0 && (
        <Part title={record.messages.length === 1 ? "The mail" : "The mails"}>
          {record.messages.map((message) => (
            <Mail key={message.index} message={message} />
          ))}
        </Part>
      )}
      {record.tls && (
        <Part title="TLS and certificate">
          <TlsPanel tls={record.tls} security={record.security} start={record.start} />
        </Part>
      )}
      {record.dialogue.length > 0 && (
        <Part title="What was said">
          <Dialogue record={record} />
        </Part>
      )}
      {record.findings.length > 0 && (
        <Part title="Findings">
          <ul class="findings">
            {record.findings.map((finding, i) => (
              <li key={i}>
                <Severity id={finding.severity} /> {finding.summary}{" "}
                <span class="soft">
                  <code>{finding.id}</code>
                  {finding.frame && `, frame ${finding.frame}`}
                </span>
              </li>
            ))}
          </ul>
        </Part>
      )}
      <Part title="Connection and capture">
        <Facts record={record} />
        <Raw opened={opened} />
      </Part>
    </>
  );
}

/** What weakens the verdict, and what else it could be. */
function Doubts({ record }: { record: SessionRecord }) {
  const { also } = record.verdict;
  const quality = record.capture_quality;
  if (also.length === 0 && quality.length === 0) return null;
  return (
    <ul>
      {quality.map(({ kind, count: times }) => (
        <li key={kind}>
          {QUALITY[kind] ?? kind}
          {times > 1 && ` (${times} times)`}
        </li>
      ))}
      {also.map(({ cause, confidence, frame }) => (
        <li key={cause}>
          also {confidence}: <code>{cause}</code>
          {frame && ` (frame ${frame})`}
        </li>
      ))}
    </ul>
  );
}

function Raw({ opened }: { opened: Opened }) {
  const [shown, show] = useState(false);
  const text = useMemo(() => (shown ? JSON.stringify(opened.record, null, 2) : ""), [shown, opened]);
  return (
    <details class="noprint" onToggle={(event) => show(event.currentTarget.open)}>
      <summary>The record as JSON</summary>
      <p>
        <Copy text={opened.raw} what="the record" />{" "}
        <span class="soft">{count(opened.raw.length, "character")}</span>
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <pre class="scroll" tabIndex={0}>
        {text}
      </pre>
    </details>
  );
}
