import { outcomeLabel } from "../words";

/** A shape of its own for each outcome, so that colour is never needed to tell them apart. */
export function Shape({ outcome }: { outcome: string }) {
  return (
    <svg class={`shape o-${outcome}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {shapeOf(outcome)}
    </svg>
  );
}

function shapeOf(outcome: string) {
  switch (outcome) {
    case "delivered":
      return (
        <>
          <circle class="fill" cx="8" cy="8" r="7" />
          <path class="mark" d="M4.6 8.3l2.3 2.4 4.5-5" />
        </>
      );
    case "stuck":
      return (
        <>
          <rect class="fill" x="1.5" y="1.5" width="13" height="13" rx="2" />
          <path class="mark" d="M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6" />
        </>
      );
    case "partial":
      return (
        <>
          <path class="fill" d="M8 1a7 7 0 0 1 0 14z" />
          <circle class="line" cx="8" cy="8" r="6.25" />
        </>
      );
    case "unknown":
      return (
        <>
          <path class="line" d="M8 1.2L14.8 8 8 14.8 1.2 8z" />
          <circle class="fill" cx="8" cy="8" r="1.9" />
        </>
      );
    default:
      return <circle class="line" cx="8" cy="8" r="6.25" />;
  }
}

export function Outcome({ id }: { id: string }) {
  return (
    <span class={`outcome o-${id}`}>
      <Shape outcome={id} />
      <span>{outcomeLabel(id)}</span>
    </span>
  );
}
