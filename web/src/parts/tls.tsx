import type { Certificate, Tls } from "../data/record";
import { exactTime } from "../words";

const PROBLEMS: Record<string, string> = {
  "certificate-expired": "it had expired",
  "certificate-not-yet-valid": "it was not valid yet",
  "certificate-not-trusted": "nobody that is trusted vouches for it",
  "self-signed": "it vouches for itself",
  "chain-incomplete": "a certificate in between was not sent",
  "certificate-host-mismatch": "it is for another name",
  "weak-key": "its key is weak",
  "weak-signature": "its signature is weak",
  "expires-soon": "it expires soon",
  intercepted: "a device on the way made it",
};

const SECURITY: Record<string, string> = {
  none: "no encryption",
  starttls: "STARTTLS, completed",
  "implicit-tls": "TLS from the first byte, completed",
  "starttls-failed": "STARTTLS, not completed",
  "implicit-tls-failed": "TLS from the first byte, not completed",
};

export function TlsPanel({
  tls,
  security,
  start,
}: {
  tls: Tls;
  security: string | null;
  start: string | null;
}) {
  return (
    <div class="tls">
      <dl class="facts">
        <Fact name="Encryption" value={security && (SECURITY[security] ?? security)} />
        <Fact name="Version" value={tls.version} />
        <Fact name="Cipher" value={tls.cipher} code />
        <Fact name="Name asked for" value={tls.sni} />
        <Fact
          name="Content"
          value={
            tls.decrypted
              ? "was read with a key"
              : security?.endsWith("failed")
                ? null
                : "is not readable without a key"
          }
        />
        <Fact name="Resumed" value={tls.resumed ? "yes, so no certificate was sent" : null} />
        <Fact name="JA3 / JA4" value={[tls.ja3, tls.ja4].filter(Boolean).join(" / ")} code />
      </dl>
      {tls.alerts.length > 0 && (
        <ul class="alerts">
          {tls.alerts.map((alert, i) => (
            <li key={i}>
              The {alert.from} sent{" "}
              {alert.description ? (
                <>
                  the alert <b>{alert.description}</b>
                </>
              ) : (
                "an alert that cannot be read"
              )}
              {alert.level && ` (${alert.level})`}
              {alert.frame && `, frame ${alert.frame}`}
            </li>
          ))}
        </ul>
      )}
      {tls.certificates.length > 0 ? (
        <ol class="chain">
          {tls.certificates.map((certificate, i) => (
            <li key={i}>
              <Card certificate={certificate} at={start} />
            </li>
          ))}
        </ol>
      ) : (
        <p class="soft">
          No certificate can be seen{tls.version === "TLSv1.3" && ": TLS 1.3 sends it encrypted"}.
        </p>
      )}
    </div>
  );
}

function Fact({ name, value, code }: { name: string; value: string | null | undefined; code?: boolean }) {
  if (!value) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd>{code ? <code>{value}</code> : value}</dd>
    </div>
  );
}

function Card({ certificate, at }: { certificate: Certificate; at: string | null }) {
  const { problems } = certificate;
  return (
    <div class={problems.length > 0 ? "certificate bad" : "certificate"}>
      <p>
        <b>{certificate.subject || "(no name)"}</b>
        <br />
        <span class="soft">issued by {certificate.issuer || "(no name)"}</span>
      </p>
      {problems.length > 0 && (
        <ul class="problems">
          {problems.map((problem) => (
            <li key={problem}>
              {PROBLEMS[problem] ?? problem} <code>{problem}</code>
            </li>
          ))}
        </ul>
      )}
      <Validity certificate={certificate} at={at} />
      <dl class="facts">
        <Fact name="For" value={certificate.names.join(", ")} />
        <Fact name="SHA-256" value={certificate.sha256} code />
      </dl>
    </div>
  );
}

/** From when to when it is valid, and where in this span the session was. */
function Validity({ certificate, at }: { certificate: Certificate; at: string | null }) {
  const { not_before: before, not_after: after } = certificate;
  if (!before || !after) return null;
  const [from, to, now] = [before, after, at ?? ""].map(Date.parse) as [number, number, number];
  const share = Math.min(100, Math.max(0, (100 * (now - from)) / (to - from)));
  return (
    <div class="validity">
      {!Number.isNaN(share) && (
        <span class="track" aria-hidden="true">
          <span class="now" style={{ left: `${share}%` }} />
        </span>
      )}
      <span>
        {exactTime(before).slice(0, 10)} to {exactTime(after).slice(0, 10)}
      </span>
    </div>
  );
}
