import { useEffect, useRef, useState } from "preact/hooks";
import { useStore } from "../data/context";
import { Copy } from "../parts/copy";
import { useFound } from "../query/run";
import { go, type Route } from "../route";
import { count, number } from "../words";
import { FilterBar } from "./filter";
import { Table } from "./table";
import { asTable } from "./ticket";

/** The table of sessions and the filter above it. */
export function Sessions({ route }: { route: Route }) {
  const store = useStore();
  const [typed, setTyped] = useState(route.query);
  const sent = useRef(route.query);
  // The address may change by itself (a link, the back button): then it is what counts.
  useEffect(() => {
    if (route.query === sent.current) return;
    sent.current = route.query;
    setTyped(route.query);
  }, [route.query]);
  useEffect(() => {
    if (typed === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = typed;
      go({ ...route, query: typed }, true);
    }, 150);
    return () => clearTimeout(timer);
  }, [typed, route]);

  const { rows, error, busy } = useFound(route.query, route.sort);
  const total = store.rows.length;
  const told = error
    ? `The filter is not understood: ${error.message}`
    : busy
      ? "Looking into the records …"
      : rows.length === total
        ? `${count(total, "session")}${store.loading ? " so far" : ""}`
        : `${number(rows.length)} of ${count(total, "session")}`;
  return (
    <>
      <h1 tabIndex={-1} class="hidden">
        Sessions
      </h1>
      <FilterBar query={typed} set={setTyped} error={error !== null} />
      <p class={error ? "told bad" : "told"}>
        <span role="status">{told}</span>{" "}
        {rows.length > 0 && (
          <span class="noprint">
            <Copy text={() => asTable(rows)} label="Copy as table" what="for a spreadsheet" />
          </span>
        )}
      </p>
      {rows.length > 0 ? (
        <Table rows={rows} route={route} />
      ) : (
        !busy && !store.loading && <NoneFits total={total} clear={() => setTyped("")} />
      )}
    </>
  );
}

function NoneFits({ total, clear }: { total: number; clear: () => void }) {
  if (total === 0) return <p class="empty">There are no sessions in this report.</p>;
  return (
    <div class="empty">
      <p>No session fits this filter.</p>
      <button type="button" onClick={clear}>
        Show all {count(total, "session")}
      </button>
    </div>
  );
}
