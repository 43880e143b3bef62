import { render } from "preact";
import { App } from "./app";
import { StoreContext } from "./data/context";
import { Store } from "./data/store";
import "./style/base.css";
import "./style/overview.css";
import "./style/sessions.css";
import "./style/session.css";
import "./style/print.css";

const store = new Store();
store.load();
render(
  <StoreContext.Provider value={store}>
    <App />
  </StoreContext.Provider>,
  document.getElementById("app")!,
);
