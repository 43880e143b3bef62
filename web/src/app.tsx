import { useEffect, useRef } from "preact/hooks";
import { useStore } from "./data/context";
import { ThemeButton } from "./parts/theme";
import { linkTo, type Route, useRoute } from "./route";
import { Findings } from "./views/findings";
import { headline } from "./views/headline";
import { Mails } from "./views/mails";
import { Overview } from "./views/overview";
import { Session } from "./views/session";
import { Sessions } from "./views/sessions";
import { number } from "./words";

export function App() {
  const store = useStore();
  const route = useRoute();
  useArrival(route, headline(store));
  return (
    <>
      <button type="button" class="skip" onClick={skip}>
        Skip to the content
      </button>
      <Top route={route} />
      <main id="main" class={`view-${route.view}`}>
        {store.trouble && <p class="trouble">{store.trouble}</p>}
        <View route={route} />
      </main>
      <footer class="foot">
        <p>
          Made by smtpwhy {store.words?.version} from captured packets. Nothing is loaded from anywhere: this
          file is the whole report.{" "}
          <span class="noprint">Keys: / filter, j and k next and previous session, u back to the list.</span>
        </p>
      </footer>
    </>
  );
}

// Not a link: the fragment of the address belongs to the views.
const skip = () => document.querySelector<HTMLElement>("#main h1")?.focus();

function View({ route }: { route: Route }) {
  switch (route.view) {
    case "overview":
      return <Overview />;
    case "sessions":
      return <Sessions route={route} />;
    case "session":
      return <Session key={route.id} route={route} />;
    case "mails":
      return <Mails />;
    case "findings":
      return <Findings />;
  }
}

function Top({ route }: { route: Route }) {
  const store = useStore();
  const findings = store.found.size;
  const places: { view: Route["view"]; label: string; n?: number }[] = [
    { view: "overview", label: "Overview" },
    { view: "sessions", label: "Sessions", n: store.rows.length },
    ...(store.deliveries.length > 0
      ? [{ view: "mails" as const, label: "Mails", n: store.deliveries.length }]
      : []),
    { view: "findings", label: "Findings", n: findings },
  ];
  return (
    <header class="top noprint">
      <span class="mark">smtpwhy</span>
      <nav aria-label="Views">
        {places.map(({ view, label, n }) => (
          <a key={view} href={linkTo({ view })} aria-current={route.view === view ? "page" : undefined}>
            {label}
            {n !== undefined && <span class="n"> {number(n)}</span>}
          </a>
        ))}
      </nav>
      {store.loading && (
        <span class="loading" role="status">
          reading …
        </span>
      )}
      <ThemeButton />
    </header>
  );
}

/** On arriving at a view: its title, its top, and the focus on its head for those who hear it. */
function useArrival(route: Route, title: string) {
  const place = `${route.view} ${route.id}`;
  const old = useRef(place);
  const toQuery = useRef(false);
  useEffect(() => {
    document.title = `${title.replace(/\.$/, "")} - smtpwhy`;
  }, [title]);
  useEffect(() => {
    if (old.current === place) return;
    old.current = place;
    window.scrollTo(0, 0);
    const target = toQuery.current ? "#query" : "#main h1";
    toQuery.current = false;
    document.querySelector<HTMLElement>(target)?.focus({ preventScroll: true });
  }, [place]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const editing = (event.target as HTMLElement).closest("input, select, textarea");
      if (event.key !== "/" || editing || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const field = document.querySelector<HTMLElement>("#query");
      if (field) return field.focus();
      toQuery.current = true;
      location.hash = linkTo({ view: "sessions" });
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
}
