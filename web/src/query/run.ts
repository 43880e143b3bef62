import { useEffect, useMemo, useState } from "preact/hooks";
import { useStore } from "../data/context";
import type { Row } from "../data/row";
import { compile, type Query } from "./compile";
import { SORTS } from "./fields";
import { QueryError } from "./parse";

export interface Found {
  rows: Row[];
  error: QueryError | null;
  /** Records are still being looked into. */
  busy: boolean;
}

/** "-duration": the longest first. */
export function sorted(rows: Row[], sort: string): Row[] {
  const down = sort.startsWith("-");
  const key = SORTS[down ? sort.slice(1) : sort];
  if (!key) return rows;
  const list = rows.map((row) => ({ row, value: key(row) }));
  list.sort((a, b) => {
    if (a.value === b.value) return a.row.index - b.row.index;
    const order = a.value < b.value ? -1 : 1;
    return down ? -order : order;
  });
  return list.map(({ row }) => row);
}

/** What compiles, or the error beside a query that everything fits. */
function read(query: string): { made: Query; error: QueryError | null } {
  try {
    return { made: compile(query), error: null };
  } catch (error) {
    if (error instanceof QueryError) return { made: compile(""), error };
    throw error;
  }
}

/** The sessions that fit, in order; a query for fields that rows do not have opens every record. */
export function useFound(query: string, sort: string): Found {
  const store = useStore();
  const { version } = store;
  const { made, error } = useMemo(() => read(query), [query]);
  const [deep, setDeep] = useState<{ key: Query; rows: Row[]; busy: boolean } | null>(null);

  useEffect(() => {
    if (!made.deep || store.loading) return;
    let wanted = true;
    const rows: Row[] = [];
    setDeep({ key: made, rows: [], busy: true });
    const look = (row: Row, record: Parameters<Query["fits"]>[1]) => {
      if (made.fits(row, record)) rows.push(row);
      return wanted;
    };
    void store.each(store.rows, look).then(() => {
      if (wanted) setDeep({ key: made, rows: [...rows], busy: false });
    });
    return () => {
      wanted = false;
    };
  }, [made, store, version]);

  const fitting = useMemo(() => {
    if (made.deep) return deep?.key === made ? deep.rows : [];
    return store.rows.filter((row) => made.fits(row, null));
  }, [made, deep, store, version]);
  const rows = useMemo(() => sorted(fitting, sort || "start"), [fitting, sort]);
  return { rows, error, busy: made.deep && (deep?.key !== made || deep.busy) };
}
