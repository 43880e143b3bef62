import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Row } from "../data/row";
import { Outcome } from "../parts/outcome";
import { usePrinting } from "../parts/print";
import { linkTo, type Route } from "../route";
import { duration, hostPort, number, reason, time } from "../words";

/** Heights of a row, as in the style sheet: in the wide table, and as a card on a narrow screen. */
const ROW = 52;
const CARD = 124;
const NARROW = "screen and (max-width: 760px)";
const BEYOND = 12; // rows drawn above and below what is seen
const PRINTED = 2000;

interface Column {
  key: string;
  label: string;
  class?: string;
}

const COLUMNS: Column[] = [
  { key: "start", label: "Start (UTC)" },
  { key: "outcome", label: "Outcome" },
  { key: "cause", label: "What happened" },
  { key: "client", label: "Client" },
  { key: "server", label: "Server" },
  { key: "duration", label: "Took", class: "num" },
];

function useNarrow(): boolean {
  const [narrow, set] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const media = matchMedia(NARROW);
    const changed = () => set(media.matches);
    media.addEventListener("change", changed);
    return () => media.removeEventListener("change", changed);
  }, []);
  return narrow;
}

/** Which rows are on the screen: the window scrolls, not the table. */
function useVisible(count: number, height: number) {
  const body = useRef<HTMLTableSectionElement>(null);
  const [range, set] = useState({ from: 0, to: Math.min(count, 40) });
  useLayoutEffect(() => {
    const look = () => {
      const top = body.current?.getBoundingClientRect().top ?? 0;
      const from = Math.max(0, Math.floor(-top / height) - BEYOND);
      const to = Math.min(count, Math.ceil((window.innerHeight - top) / height) + BEYOND);
      set((old) => (old.from === from && old.to === to ? old : { from, to: Math.max(from, to) }));
    };
    look();
    window.addEventListener("scroll", look, { passive: true });
    window.addEventListener("resize", look);
    return () => {
      window.removeEventListener("scroll", look);
      window.removeEventListener("resize", look);
    };
  }, [count, height]);
  return { body, range };
}

export function Table({ rows, route }: { rows: Row[]; route: Route }) {
  const narrow = useNarrow();
  const printing = usePrinting();
  const height = narrow ? CARD : ROW;
  const { body, range } = useVisible(rows.length, height);
  const { from, to } = printing ? { from: 0, to: Math.min(rows.length, PRINTED) } : range;
  const wanted = useRef<number | null>(null);

  useEffect(() => {
    if (wanted.current === null) return;
    body.current
      ?.querySelector<HTMLElement>(`[data-index="${wanted.current}"] a`)
      ?.focus({ preventScroll: true });
    wanted.current = null;
  });

  /** Up, down and so on go from row to row. */
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = Number((event.target as HTMLElement).closest("tr")?.dataset.index ?? Number.NaN);
    if (Number.isNaN(at)) return;
    const page = Math.max(1, Math.floor(window.innerHeight / height) - 4);
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: 0,
      End: rows.length - 1,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const index = Math.min(rows.length - 1, Math.max(0, next));
    wanted.current = index;
    show(body.current, index, height);
    body.current?.querySelector<HTMLElement>(`[data-index="${index}"] a`)?.focus({ preventScroll: true });
  };

  return (
    <>
      <table class="sessions" aria-rowcount={rows.length + 1} aria-label="Sessions">
        <thead>
          <tr aria-rowindex={1}>
            {COLUMNS.map((column) => (
              <Head key={column.label} column={column} route={route} />
            ))}
          </tr>
        </thead>
        <tbody ref={body} onKeyDown={onKey}>
          {from > 0 && <Gap height={from * height} />}
          {rows.slice(from, to).map((row, i) => (
            <Line key={row.index} row={row} index={from + i} route={route} />
          ))}
          {!printing && to < rows.length && <Gap height={(rows.length - to) * height} />}
        </tbody>
      </table>
      {printing && rows.length > PRINTED && (
        <p>
          The first {number(PRINTED)} of {number(rows.length)} sessions are printed.
        </p>
      )}
    </>
  );
}

/** Scrolls so far that a row is seen below the heads and above the lower edge. */
function show(body: HTMLElement | null, index: number, height: number) {
  if (!body) return;
  const top = body.getBoundingClientRect().top + index * height;
  const heads = 110;
  if (top < heads) window.scrollBy(0, top - heads);
  else if (top + height > window.innerHeight) window.scrollBy(0, top + height - window.innerHeight + 8);
}

const Gap = ({ height }: { height: number }) => (
  // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it can have the focus
  <tr class="gap" aria-hidden="true">
    <td colSpan={COLUMNS.length} style={{ height: `${height}px` }} />
  </tr>
);

function Head({ column, route }: { column: Column; route: Route }) {
  const { key, label } = column;
  const up = (route.sort || "start") === key;
  const down = route.sort === `-${key}`;
  const next = up ? `-${key}` : key;
  return (
    <th scope="col" class={column.class} aria-sort={up ? "ascending" : down ? "descending" : "none"}>
      <a href={linkTo({ ...route, sort: next })}>
        {label}
        <span class="arrow" aria-hidden="true">
          {up ? "▲" : down ? "▼" : ""}
        </span>
      </a>
    </th>
  );
}

function Line({ row, index, route }: { row: Row; index: number; route: Route }) {
  const link = linkTo({ view: "session", id: row.id, query: route.query, sort: route.sort });
  const ends = row.sender || row.recipients ? `${row.sender || "<>"} → ${row.recipients || "?"}` : "";
  const mail = [ends, row.subject].filter(Boolean).join(": ");
  return (
    <tr data-index={index} aria-rowindex={index + 2}>
      <td class="when">{time(row.start)}</td>
      <td class="state">
        <Outcome id={row.outcome} />
      </td>
      <td class="happened">
        <a href={link}>{reason(row.summary)}</a>
        <span class="soft">
          <code>{row.cause}</code> {mail}
        </span>
      </td>
      <td class="client">
        <Host ip={row.clientIp} name={row.clientName} port={0} />
      </td>
      <td class="server">
        <Host ip={row.serverIp} name={row.serverName} port={row.port} />
      </td>
      <td class="num took">{duration(row.duration)}</td>
    </tr>
  );
}

function Host({ ip, name, port }: { ip: string; name: string; port: number }) {
  const address = ip ? hostPort(ip, port) : "";
  return (
    <>
      <span title={name || address}>{name || address}</span>
      {name && address && <span class="soft">{address}</span>}
    </>
  );
}
