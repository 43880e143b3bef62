import { useEffect, useState } from "preact/hooks";

/** Where the page is: in the fragment of its address, so that every view can be sent on as a link. */
export interface Route {
  view: "overview" | "sessions" | "session" | "mails" | "findings";
  id: string;
  query: string;
  sort: string;
}

const VIEWS = new Set(["sessions", "mails", "findings"]);

export function readRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const parameters = new URLSearchParams(search);
  const route: Route = {
    view: "overview",
    id: "",
    query: parameters.get("q") ?? "",
    sort: parameters.get("sort") ?? "",
  };
  const [view = "", id = ""] = path.split("/");
  if (view === "session" && id) return { ...route, view: "session", id };
  if (VIEWS.has(view)) return { ...route, view: view as Route["view"] };
  return route;
}

/** The part of a link behind the name of the file. */
export function linkTo(route: Partial<Route>): string {
  const parameters = new URLSearchParams();
  if (route.query) parameters.set("q", route.query);
  if (route.sort) parameters.set("sort", route.sort);
  const search = parameters.toString();
  const view = route.view ?? "overview";
  const path = view === "overview" ? "" : view === "session" ? `session/${route.id}` : view;
  return `#/${path}${search ? `?${search}` : ""}`;
}

export const sessionsLink = (query: string, sort = "") => linkTo({ view: "sessions", query, sort });

/** Goes there; without a step in the history while something is being typed. */
export function go(route: Partial<Route>, replace = false) {
  const link = linkTo(route);
  if (replace) {
    history.replaceState(null, "", link);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    location.hash = link;
  }
}

export function useRoute(): Route {
  const [route, set] = useState(() => readRoute(location.hash));
  useEffect(() => {
    const changed = () => set(readRoute(location.hash));
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return route;
}
