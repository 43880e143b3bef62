import { SEVERITY_LABEL } from "../words";

/** How bad it is, as a word in a frame; the colour only repeats it. */
export const Severity = ({ id }: { id: string }) => (
  <span class={`severity s-${id}`}>{SEVERITY_LABEL[id] ?? id}</span>
);
