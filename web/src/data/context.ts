import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { Store } from "./store";

export const StoreContext = createContext(new Store());

/** The store, and drawn again whenever more has come. */
export function useStore(): Store {
  const store = useContext(StoreContext);
  const [, set] = useState(store.version);
  useEffect(() => {
    set(store.version);
    return store.listen(() => set(store.version));
  }, [store]);
  return store;
}
