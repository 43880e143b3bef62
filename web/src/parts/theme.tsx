import { useEffect, useState } from "preact/hooks";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];
const KEY = "smtpwhy-theme";

// A page from a file may not be allowed to remember anything.
function remembered(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(KEY)) ?? "auto";
  } catch {
    return "auto";
  }
}

function remember(theme: Theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // then it is auto again next time
  }
}

function apply(theme: Theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  window.dispatchEvent(new Event("themechange"));
}

/** Paper is white, whatever the screen is; what was drawn with colours is drawn again. */
function followPrinter() {
  let before: Theme = "auto";
  window.addEventListener("beforeprint", () => {
    before = (document.documentElement.dataset.theme as Theme | undefined) ?? "auto";
    apply("light");
  });
  window.addEventListener("afterprint", () => apply(before));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    window.dispatchEvent(new Event("themechange"));
  });
}

followPrinter();

export function ThemeButton() {
  const [theme, set] = useState<Theme>(remembered);
  useEffect(() => apply(theme), [theme]);
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  const turn = () => {
    set(next);
    remember(next);
  };
  return (
    <button type="button" class="small" onClick={turn} aria-label={`Colours: ${theme}. Change to ${next}.`}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5" />
        <path
          d={
            theme === "light"
              ? ""
              : theme === "dark"
                ? "M8 1.75a6.25 6.25 0 1 0 0 12.5 6.25 6.25 0 1 0 0-12.5z"
                : "M8 1.75a6.25 6.25 0 0 1 0 12.5z"
          }
          fill="currentColor"
        />
      </svg>
    </button>
  );
}
