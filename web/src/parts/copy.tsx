import { useState } from "preact/hooks";

async function toClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

interface Props {
  text: string | (() => string);
  what: string; // for those who hear the page
  label?: string;
}

export function Copy({ text, what, label = "Copy" }: Props) {
  const [said, say] = useState("");
  const copy = async () => {
    const done = await toClipboard(typeof text === "string" ? text : text());
    say(done ? "Copied" : "Cannot copy here");
    setTimeout(() => say(""), 2000);
  };
  return (
    <button type="button" class="small" onClick={() => void copy()}>
      <span aria-hidden={said !== ""}>{said || label}</span>
      <span class="hidden"> {what}</span>
      <span class="hidden" role="status">
        {said}
      </span>
    </button>
  );
}
