import { firstSentence } from "../words";

export interface Step {
  first: string;
  rest: string;
  /** Where to find it: the menu words of each mail program. */
  places: { program: string; way: string }[];
}

/** "Outlook: File > Account Settings" */
const PLACE = /^([A-Z][A-Za-z/ ]{2,40}): (.+)$/s;

/**
 * A step of advice in its parts. What follows the first sentence is a list of places when every piece of it begins
 * with the name of a program and one of them at least leads through menus; else it is left as it is.
 */
export function readStep(text: string): Step {
  const first = firstSentence(text);
  const rest = text.slice(first.length).trim();
  const pieces = rest.replace(/\.$/, "").split("; ");
  const places = pieces.map((piece) => PLACE.exec(piece));
  if (pieces.length < 2 || !rest.includes(" > ") || places.some((place) => place === null)) {
    return { first, rest, places: [] };
  }
  return { first, rest: "", places: places.map((place) => ({ program: place![1]!, way: place![2]! })) };
}
