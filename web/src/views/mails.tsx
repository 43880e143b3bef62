import { useStore } from "../data/context";
import type { DeliveryRecord } from "../data/record";
import type { Row } from "../data/row";
import { Outcome, Shape } from "../parts/outcome";
import { linkTo } from "../route";
import { count, duration, outcomeLabel, time } from "../words";

/** Mails that took several sessions. */
export function Mails() {
  const store = useStore();
  const list = store.deliveries;
  return (
    <>
      <header class="lead">
        <h1 tabIndex={-1}>
          {list.length === 0
            ? "No mail took more than one session."
            : `${count(list.length, "mail")} took several sessions.`}
        </h1>
        <p class="soft">
          Tries to hand over the same mail are one story: put off and accepted later, one server after the
          other, sent again after a lost answer.
        </p>
      </header>
      <ol class="stories">
        {list.map((story) => (
          <li key={story.id}>
            <Story story={story} />
          </li>
        ))}
      </ol>
    </>
  );
}

export function Story({ story, here }: { story: DeliveryRecord; here?: string }) {
  const store = useStore();
  const { mail_from: from, recipients } = story;
  return (
    <article class="story">
      <p class="what">
        <Outcome id={story.outcome} /> {story.summary}
      </p>
      <p class="soft">
        {from !== null ? `${from || "<>"} → ${recipients.join(", ") || "?"}` : story.client.ip}
        {story.waited_s !== null && `, waited ${duration(story.waited_s)}`}
        {story.confidence !== "certain" && `; that these sessions belong together is ${story.confidence}`}
      </p>
      <ol class="tries">
        {story.attempts.map((id) => (
          <Try key={id} id={id} row={store.find(id)} here={id === here} />
        ))}
      </ol>
    </article>
  );
}

function Try({ id, row, here }: { id: string; row: Row | undefined; here: boolean }) {
  if (!row) return <li class="soft">session {id} is not in this report</li>;
  return (
    <li>
      <Shape outcome={row.outcome} />
      <span class="hidden">{outcomeLabel(row.outcome)}</span> {time(row.start)}{" "}
      {here ? <b>this session</b> : <a href={linkTo({ view: "session", id })}>{row.cause}</a>}{" "}
      <span class="soft">{row.serverName || row.serverIp}</span>
    </li>
  );
}
