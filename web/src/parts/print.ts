import { options } from "preact";
import { useEffect, useState } from "preact/hooks";

/** True while the page is being printed. What depends on it is drawn before the printer looks. */
export function usePrinting(): boolean {
  const [printing, set] = useState(false);
  useEffect(() => {
    const now = (value: boolean) => () => {
      const later = options.debounceRendering;
      options.debounceRendering = (draw) => draw();
      set(value);
      options.debounceRendering = later;
    };
    const before = now(true);
    const after = now(false);
    window.addEventListener("beforeprint", before);
    window.addEventListener("afterprint", after);
    return () => {
      window.removeEventListener("beforeprint", before);
      window.removeEventListener("afterprint", after);
    };
  }, []);
  return printing;
}
