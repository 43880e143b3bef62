import { useRef } from "preact/hooks";
import { useStore } from "../data/context";
import { countBy, extent, largest } from "../data/counts";
import type { Row } from "../data/row";
import { readTerm, withTerm } from "../query/edit";
import { FIELDS } from "../query/fields";
import { number, OUTCOMES, STAGES } from "../words";

interface Props {
  query: string;
  set: (query: string) => void;
  error: boolean;
}

/** One line of text that says it all, and menus that write into it. */
export function FilterBar({ query, set, error }: Props) {
  const store = useStore();
  const { rows } = store;
  return (
    <search class="filter noprint">
      <div class="line">
        <label for="query" class="hidden">
          Filter and search
        </label>
        <input
          id="query"
          type="search"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          placeholder="Search, or filter: outcome:stuck server:mx.example.org code>=500"
          value={query}
          aria-invalid={error}
          aria-describedby="query-help"
          onInput={(event) => set(event.currentTarget.value)}
        />
        {query && (
          <button type="button" onClick={() => set("")}>
            Clear
          </button>
        )}
      </div>
      <div class="line menus">
        <Menu name="outcome" label="Outcome" query={query} set={set} options={outcomeOptions(rows)} />
        <Menu
          name="cause"
          label="Cause"
          query={query}
          set={set}
          options={options(rows, (row) => row.cause)}
        />
        <Menu name="stage" label="Stage" query={query} set={set} options={stageOptions(rows)} />
        <Menu
          name="actor"
          label="Who must act"
          query={query}
          set={set}
          options={options(rows, (row) => row.actor)}
        />
        <Times rows={rows} query={query} set={set} />
      </div>
      <Help />
    </search>
  );
}

type Option = [value: string, label: string];

const options = (rows: Row[], keyOf: (row: Row) => string): Option[] =>
  largest(countBy(rows, keyOf)).map(([key, n]) => [key, `${key} (${number(n)})`]);

const outcomeOptions = (rows: Row[]): Option[] => {
  const counts = countBy(rows, (row) => row.outcome);
  const one = OUTCOMES.filter(({ id }) => counts.has(id)).map(
    ({ id, label }): Option => [id, `${label} (${number(counts.get(id)!)})`],
  );
  return [...one, ["stuck,partial", "Stuck or partly delivered"]];
};

const stageOptions = (rows: Row[]): Option[] => {
  const counts = countBy(rows, (row) => row.stage);
  return STAGES.filter(({ id }) => counts.has(id)).map(({ id, label }) => [
    id,
    `${label} (${number(counts.get(id)!)})`,
  ]);
};

/** The values of an option: several are separated by commas. */
const list = (value: string) => value.split(",").filter(Boolean);

interface MenuProps {
  name: string;
  label: string;
  query: string;
  set: (query: string) => void;
  options: Option[];
}

function Menu({ name, label, query, set, options: all }: MenuProps) {
  const value = readTerm(query, name);
  const known = value === "" || all.some(([key]) => key === value);
  return (
    <label>
      <span>{label}</span>
      <select value={value} onChange={(event) => set(withTerm(query, name, list(event.currentTarget.value)))}>
        <option value="">any</option>
        {!known && <option value={value}>{value}</option>}
        {all.map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

const forInput = (text: string) => text.slice(0, 19);
const ofRange = (ms: number | undefined) => (ms === undefined ? "" : new Date(ms).toISOString().slice(0, 19));

/** From and until, as terms on `start`. */
function Times({ rows, query, set }: { rows: Row[]; query: string; set: (query: string) => void }) {
  const range = extent(rows);
  const limits = {
    min: ofRange(range?.from),
    max: ofRange(range && range.to + 1000 ? range.to + 1000 : undefined),
  };
  const ends = [
    { operator: ">=", label: "From (UTC)" },
    { operator: "<", label: "Until (UTC)" },
  ];
  return (
    <>
      {ends.map(({ operator, label }) => (
        <label key={operator}>
          <span>{label}</span>
          <input
            type="datetime-local"
            step="1"
            {...limits}
            value={forInput(readTerm(query, "start", operator))}
            onChange={(event) => set(withTerm(query, "start", event.currentTarget.value, operator))}
          />
        </label>
      ))}
    </>
  );
}

function Help() {
  const details = useRef<HTMLDetailsElement>(null);
  return (
    <details class="help" ref={details} id="query-help">
      <summary>What can be asked for</summary>
      <div>
        <p>
          Words are looked for in everything that was said. <code>field:value</code> looks at one field;
          several must all hold. <code>a,b</code> is one of several, <code>-</code> in front means not,{" "}
          <code>or</code> and brackets work, <code>*</code> stands for any letters,{" "}
          <code>= != &lt; &gt; &lt;= &gt;=</code> compare. The address of the page keeps the filter: copy it
          to send it on with the file.
        </p>
        <dl class="fields">
          {Object.entries(FIELDS).map(([name, { what }]) => (
            <div key={name}>
              <dt>
                <code>{name}</code>
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
          <div>
            <dt>
              <code>tls.version</code>
            </dt>
            <dd>
              and every other field of the record by its path: <code>tcp.close:rst</code>,{" "}
              <code>auth.attempts.mechanism:PLAIN</code>, <code>tls.certificates.problems:*expired*</code>
            </dd>
          </div>
        </dl>
      </div>
    </details>
  );
}
