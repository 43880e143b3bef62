import type { Outcome } from "../data/record";
import type { Store } from "../data/store";
import { count, number } from "../words";

type Counts = Record<Outcome, number>;

const sessionCounts = (store: Store): Counts => {
  const counts: Counts = { delivered: 0, partial: 0, stuck: 0, "no-mail": 0, unknown: 0 };
  for (const row of store.rows) counts[row.outcome as Outcome]++;
  return counts;
};

const were = (n: number) => (n === 1 ? "was" : "were");

/** The one sentence above everything, over mails or, where only some sessions are shown, over those. */
export function sentence(counts: Counts, noun: string): string {
  const { delivered, partial, stuck, unknown } = counts;
  const tried = delivered + partial + stuck + unknown;
  if (tried === 0) return "Nobody tried to send a mail.";
  const of = tried === 1 ? `The only ${noun}` : `${number(stuck)} of ${count(tried, noun)}`;
  if (stuck > 0 && noun === "mail") return `${of} did not leave the outbox.`;
  if (stuck > 0) return `${of} left mail in the outbox.`;
  if (partial > 0) {
    return tried === 1
      ? `The only ${noun} reached some of its recipients and not the others.`
      : `${number(partial)} of ${count(tried, noun)} ${were(partial)} accepted only in part.`;
  }
  if (unknown === tried) return `What became of ${count(tried, noun)} cannot be seen in this capture.`;
  if (unknown > 0) {
    return `No ${noun} is seen to be stuck; what became of ${number(unknown)} of ${count(tried, noun)} cannot be seen.`;
  }
  return tried === 1 ? `The only ${noun} was delivered.` : `All ${count(tried, noun)} were delivered.`;
}

export function headline(store: Store): string {
  const whole = store.summary && store.summary.sessions === store.rows.length;
  return whole ? sentence(store.summary!.mails, "mail") : sentence(sessionCounts(store), "session");
}
