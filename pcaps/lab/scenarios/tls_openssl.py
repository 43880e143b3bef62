"""TLS again, with what the recordings of tls.py lack: openssl s_client and gnutls-cli, a HelloRetryRequest, a resumed session, a
KeyUpdate, CBC and ChaCha20 in TLS 1.2, and causes of failed handshakes.

None of these was used to tune what is said of encrypted sessions without keys.
"""
import os
import shutil
import time

from clients import SERVER, smtplib
from scenarios import recording
from scenarios.tls import ACCEPTED, ALERT, DELIVERED, HELLO, LOCK, NO_GOODBYE, NOTHING, STORE, alert, by_python, chain, failing, hidden, postfix_tls

UNKNOWN_USER = ("stuck", "rcpt-unknown-user", "rcpt", "550")
# s_client takes a line that begins with K, Q or R for an order to itself, so commands are in small letters
SENDING = ["ehlo pc.example.net", "mail from:<anna@example.net>", "rcpt to:<bob@example.org>", "data",
           "From: Anna <anna@example.net>\nTo: bob@example.org\nSubject: Hello\n\nHi Bob\n.", "quit"]
ASKING = ["ehlo pc.example.net", "mail from:<anna@example.net>", "rcpt to:<nobody@example.org>", "quit"]


def typed(lab, command, lines):
    """Lines typed into a client, each when the answer to the one before must have come."""
    process = lab.spawn(lab.client, ["env", "SSLKEYLOGFILE=" + lab.keylog] + command, stdin=-1)
    time.sleep(1)
    for line in lines:
        try:
            process.stdin.write((line + "\n").encode("ascii"))
            process.stdin.flush()
        except OSError:
            break
        time.sleep(0.4)
    try:
        process.stdin.close()
    except OSError:
        pass
    process.wait(timeout=20)


def s_client(lab, lines, *options):
    typed(lab, ["openssl", "s_client", "-starttls", "smtp", "-name", "pc.example.net", "-connect", SERVER + ":587", "-servername", "mx.example.org",
                "-crlf", "-keylogfile", lab.keylog, *options], lines)


def gnutls_cli(lab, lines, version):
    typed(lab, ["gnutls-cli", "--starttls-proto=smtp", "--insecure", "--crlf", "--port", "587", "--priority", "NORMAL:-VERS-ALL:+VERS-TLS" + version,
                "--sni-hostname", "mx.example.org", SERVER], lines)


def dialogue(name, client, done, version, send, serve=postfix_tls, sent=ACCEPTED, **serving):
    """
    Two recordings: a mail that is sent, and a recipient that does not exist. gnutls-cli ends the text with LF . CRLF, which Postfix takes,
    and with a NUL, which it takes for the beginning of the QUIT: no command that it knows.
    """
    for prefix, lines, expect, inside in (("sent", SENDING, DELIVERED, sent), ("unknown-user", ASKING, NOTHING, UNKNOWN_USER)):

        @recording("tls/%s-by-%s.pcap" % (prefix, name), "%s -> Postfix" % client, done, expect, inside=[inside])
        def record(lab, lines=lines):
            chain(lab, "rsa")
            serve(lab, 587, version, **serving)
            send(lab, lines)


def plainly(*options):
    def send(lab, lines):
        lab.record()
        s_client(lab, lines, *options)
    return send


def resumed(*options):
    """The session before, which gives the ticket, is not recorded."""
    def send(lab, lines):
        ticket = os.path.join(lab.folder, "ticket")
        s_client(lab, ["noop", "quit"], "-sess_out", ticket, *options)
        lab.record()
        s_client(lab, lines, "-sess_in", ticket, *options)
    return send


def key_update(lab, lines):
    lab.record()
    s_client(lab, lines[:1] + ["K"] + lines[1:])


def by_gnutls(version):
    def send(lab, lines):
        lab.record()
        gnutls_cli(lab, lines, version)
    return send


dialogue("s_client-tls1.3", "openssl s_client", "commands typed into s_client", "1.3", plainly())
dialogue("s_client-retry", "openssl s_client", "the server asks for another group: HelloRetryRequest", "1.3", plainly("-groups", "P-521:P-256"),
         tls_eecdh_auto_curves="prime256v1")
dialogue("s_client-resumed-tls1.3", "openssl s_client", "the session is resumed from a ticket", "1.3", resumed())
dialogue("s_client-resumed-tls1.2", "openssl s_client", "the session is resumed from a ticket", "1.2", resumed())
dialogue("s_client-key-update", "openssl s_client", "both sides change their keys after EHLO", "1.3", key_update)
dialogue("gnutls-cli-tls1.3", "gnutls-cli", "commands typed into gnutls-cli", "1.3", by_gnutls("1.3"), sent=NO_GOODBYE)
dialogue("gnutls-cli-tls1.2", "gnutls-cli", "commands typed into gnutls-cli", "1.2", by_gnutls("1.2"), sent=NO_GOODBYE)
for label, suite in (("cbc-sha256", "ECDHE-RSA-AES128-SHA256"), ("cbc-sha1", "ECDHE-RSA-AES256-SHA"), ("chacha20", "ECDHE-RSA-CHACHA20-POLY1305")):
    def by_suite(lab, lines, suite=suite):
        lab.record()
        by_python(lab, 587, "1.2", to="nobody@example.org" if lines is ASKING else "bob@example.org", context="c.set_ciphers(%r)" % suite)
    dialogue("python-" + label, "Python", "TLS 1.2 with %s" % suite, "1.2", by_suite)


# --- handshakes that fail ---
failing("chain-incomplete-python", "python", "the certificate in between is not sent", ("stuck", "tls-cert-unknown-ca", "tls", "C:" + ALERT + ".\x30",
        "no public authority: the lab's own"), "1.2", ("leaf",))
failing("intercepted-python", "python", "the issuer is a firewall", ("stuck", "mbx-tls-intercept", "tls", "C:" + ALERT), "1.2", ("opened", "gateway"))


def revoked(name, version):
    @recording("tls/%s.pcap" % name, "Python -> Postfix", "the client has a list of revoked certificates", ("stuck", "tls-cert-revoked", "tls", "C:" + ALERT + ".\x2c"),
               inside=[hidden(version, "tls-cert-revoked", alert(44))] if version == "1.3" else None)
    def record(lab):
        chain(lab, "good")
        by = ("-config", "config", "-cert", "root.pem", "-keyfile", "root.key")
        path = os.path.join(lab.folder, "crl.pem")
        with LOCK:
            if not os.path.exists(STORE.path("crl.pem")):
                STORE.openssl("ca", *by, "-revoke", "good.pem")
                STORE.openssl("ca", *by, "-gencrl", "-crldays", "30", "-out", "crl.pem")
        shutil.copyfile(STORE.path("crl.pem"), path)
        os.chmod(path, 0o644)
        postfix_tls(lab, 587, version)
        lab.record()
        by_python(lab, 587, version, trust=True, context="c.load_verify_locations(%r); c.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF" % path)


def clock_wrong(name, version, cause):
    @recording("tls/%s.pcap" % name, "openssl s_client -> Postfix", "the client believes it is the year 2052", ("stuck", cause, "tls", "C:" + ALERT + ".\x2d"),
               inside=[hidden(version, "tls-clock-wrong", alert(45))] if version == "1.3" else None)
    def record(lab):
        chain(lab, "good")
        postfix_tls(lab, 587, version)
        lab.record()
        s_client(lab, ["quit"], "-CAfile", lab.trust, "-verify_return_error", "-attime", "2600000000")


revoked("revoked-python", "1.2")
revoked("revoked-python-tls1.3", "1.3")
clock_wrong("clock-wrong-s_client", "1.2", "tls-clock-wrong")
clock_wrong("clock-wrong-s_client-tls1.3", "1.3", "tls-cert-expired")  # the certificate is hidden, and the client says what it believes


@recording("tls/name-not-served.pcap", "Python -> openssl s_server", "the server does not know the name", ("stuck", "tls-server-error", "tls",
           "S:" + ALERT + ".\x70"))
def name_not_served(lab):
    chain(lab, "rsa")
    lab.spawn(lab.server, ["openssl", "s_server", "-accept", "465", "-cert", lab.chain, "-key", lab.key, "-cert2", lab.chain, "-key2", lab.key,
                           "-servername", "other.example.org", "-servername_fatal", "-quiet"], stdin=-1)
    lab.wait_port(465)
    lab.record()
    smtplib(lab, """
import ssl
c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
s = socket.create_connection((SERVER, 465), 20)
try:
    c.wrap_socket(s, server_hostname='mx.example.org')
except OSError as error:
    print(error)
s.close()
""")
