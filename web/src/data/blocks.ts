/**
 * The blocks of records in the page: script elements that no browser runs, with lines of JSON, deflated and
 * in base64. They are read while the page is still loading.
 */
const BLOCKS = 'script[type="application/x-smtpwhy"]';

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export async function inflate(base64: string): Promise<string> {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).text();
}

export const canInflate = () => typeof DecompressionStream === "function";

/** A new frame, or soon in a tab that is not looked at. */
const breathe = () => new Promise((resolve) => setTimeout(resolve, 0));

export interface BlockReader {
  /** The text of a block that was already passed on. */
  text(block: number): Promise<string>;
}

/** Hands each block on, in their order, and resolves when the whole page was read. */
export function readBlocks(take: (text: string, block: number) => void, done: () => void): BlockReader {
  const found: Element[] = [];
  let last: { block: number; text: string } | null = null;
  let loaded = document.readyState !== "loading";
  if (!loaded) {
    document.addEventListener("DOMContentLoaded", () => {
      loaded = true;
    });
  }

  async function pump() {
    let next = 0;
    for (;;) {
      const complete = loaded;
      const all = document.querySelectorAll(BLOCKS);
      // While the page loads, its last element may not be complete.
      const ready = complete ? all.length : all.length - 1;
      for (; next < ready; next++) {
        const element = all[next]!;
        found.push(element);
        const text = await inflate(element.textContent ?? "").catch(() => null);
        // A block that cannot be read is the last of a file that was cut off.
        if (text === null) return done();
        take(text, next);
      }
      if (complete) return done();
      await breathe();
    }
  }
  void pump();

  return {
    async text(block) {
      if (last?.block === block) return last.text;
      const text = await inflate(found[block]?.textContent ?? "");
      last = { block, text };
      return text;
    },
  };
}
