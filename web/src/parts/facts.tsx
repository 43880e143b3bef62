import type { SessionRecord, Tcp } from "../data/record";
import { bytes, duration, exactTime, number } from "../words";
import { Copy } from "./copy";

const CLOSE: Record<string, string> = {
  fin: "in order (FIN)",
  rst: "cut off (RST)",
  timeout: "given up after silence",
  icmp: "by an ICMP error",
  open: "still open when the capture ended",
};

type Fact = [name: string, value: string | null, copy?: boolean];

function tcpFacts(tcp: Tcp): Fact[] {
  const { bytes: size, packets, retransmissions: again } = tcp;
  const closed = `${CLOSE[tcp.close] ?? tcp.close}${tcp.closed_by ? `, by the ${tcp.closed_by}` : ""}`;
  return [
    ["Round trip", duration(tcp.handshake_rtt_s) || null],
    ["Greeting after", duration(tcp.greeting_delay_s) || null],
    ["Longest silence", duration(tcp.longest_silence_s) || null],
    ["Client sent", `${bytes(size.client)} in ${number(packets.client)} packets`],
    ["Server sent", `${bytes(size.server)} in ${number(packets.server)} packets`],
    [
      "Sent again",
      again.client + again.server > 0
        ? `${again.client} times by the client, ${again.server} by the server`
        : null,
    ],
    ["Not acknowledged", tcp.unacknowledged_bytes ? bytes(tcp.unacknowledged_bytes) : null],
    ["Window closed for", tcp.zero_window_s ? duration(tcp.zero_window_s) : null],
    ["Closed", closed],
  ];
}

function evidenceFilter(record: SessionRecord): string | null {
  const frames = [...new Set(record.verdict.evidence.flatMap(({ frame }) => (frame ? [frame] : [])))];
  // In a series of files a number alone is not enough.
  if (frames.length === 0 || record.capture.files.length > 1) return null;
  return `frame.number in {${frames.sort((a, b) => a - b).join(",")}}`;
}

export function Facts({ record }: { record: SessionRecord }) {
  const { capture, client, server, tcp } = record;
  const end = (peer: typeof client) =>
    [
      peer.ip,
      peer.port ? `port ${peer.port}` : "",
      peer.name ? `(${peer.name}, from ${peer.name_source})` : "",
    ]
      .filter(Boolean)
      .join(" ");
  const facts: Fact[] = [
    ["Client", end(client)],
    ["For", client.proxied_for ?? null],
    ["Server", end(server) || null],
    ["Began", exactTime(record.start)],
    ["Lasted", duration(record.duration_s)],
    ["Protocol", record.protocol],
    ...(tcp ? tcpFacts(tcp) : []),
    ["Capture", capture.files.length > 0 ? capture.files.join(", ") : capture.file],
    ["Frames", capture.first_frame ? `${capture.first_frame} to ${capture.last_frame}` : null],
    ["Tunnel", capture.tunnel],
    ["In Wireshark", capture.display_filter, true],
    ["The evidence", evidenceFilter(record), true],
    ["Session id", record.id],
    ["Community ID", record.community_id],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value, copy]) =>
        value ? (
          <div key={name}>
            <dt>{name}</dt>
            <dd class={copy ? "wire" : ""}>
              {copy ? <code>{value}</code> : value}{" "}
              {copy && <Copy text={value} what={`the filter: ${name}`} />}
            </dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}
