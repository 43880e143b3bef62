"""TLS a third time: OpenSMTPD and `openssl s_server` as servers, client certificates, damage on the way, 0-RTT and a second handshake.

None of these was used to tune what is said of encrypted sessions without keys.
"""
import json
import os

from clients import PASSWORD, smtplib
from net import HERE
from scenarios import recording
from scenarios.tls import (ACCEPTED, ALERT, CERTIFICATE, CLIENTS, DELIVERED, HELLO, NOTHING, SERVERS, alert, both, by_python, chain, failing, hidden, postfix_tls)
from scenarios.tls_openssl import SENDING, UNKNOWN_USER, s_client, typed
from server_dovecot import dovecot
from servers import opensmtpd_with_tls

NO_SUCH_USER, SPAM = {"RCPT": "550 5.1.1 User unknown"}, {"DOT": "554 5.7.1 Message rejected as spam"}
EXIM_SPAM = {"data": "  deny message = This message was classified as spam\n"}


# --- servers ---

def opensmtpd_tls(lab, port, version="", **more):
    opensmtpd_with_tls(lab, port, "smtps" if port == 465 else "tls")


def s_server(lab, port, version="", options=(), **settings):
    versions = ["-tls" + version.replace(".", "_")] if version else []
    lab.spawn(lab.server, ["python3", os.path.join(HERE, "s_server.py"), str(port), json.dumps(dict(settings, starttls=port != 465)),
                           "-cert", lab.chain, "-key", lab.key, "-cert_chain", lab.chain, *versions, *options])
    lab.wait_port(4465 if port != 465 else port)
    lab.wait_port(port)
    lab.wait_port(2525)


def dovecot_tls(lab, port, version="", **more):
    extra = "ssl = yes\nssl_cert = <%s\nssl_key = <%s\n" % (lab.chain, lab.key)
    extra += "service submission-login {\n  inet_listener submissions {\n    port = 465\n    ssl = yes\n  }\n}\n"
    dovecot(lab, "submission", 587, tls_only="yes", more=extra)
    lab.wait_port(port)


SERVERS.update({"opensmtpd": (opensmtpd_tls, "newer OpenSMTPD"), "s_server": (s_server, "openssl s_server"), "dovecot-both": (dovecot_tls, "Dovecot")})


# --- mail that goes through, and recipients that do not exist: what the servers, clients, ways and versions of tls.py leave open ---
for server, client, port, version in (
        ("opensmtpd", "python", 587, "1.2"), ("opensmtpd", "msmtp", 587, "1.3"), ("opensmtpd", "nodemailer", 465, "1.2"), ("opensmtpd", "python", 465, "1.3"),
        ("opensmtpd", "msmtp", 465, "1.2"), ("opensmtpd", "nodemailer", 587, "1.3"),
        ("s_server", "python", 587, "1.3"), ("s_server", "msmtp", 587, "1.2"), ("s_server", "nodemailer", 587, "1.2"), ("s_server", "python", 465, "1.2"),
        ("s_server", "msmtp", 465, "1.3"), ("s_server", "nodemailer", 465, "1.3"),
        ("postfix", "msmtp", 465, "1.3"), ("postfix", "nodemailer", 465, "1.3"), ("exim", "nodemailer", 465, "1.3"), ("exim", "python", 465, "1.2")):
    both("sent-%s-by-%s-%d-tls%s" % (server, client, port, version), server, client, port, version,
         "%s, TLS %s" % ("STARTTLS" if port == 587 else "TLS from the first byte", version), DELIVERED, ACCEPTED)
for client, version in (("python", "1.2"), ("msmtp", "1.3"), ("nodemailer", "1.2")):
    both("sent-dovecot-by-%s-465-tls%s" % (client, version), "dovecot-both", client, 465, version, "with a login, TLS from the first byte, TLS " + version,
         DELIVERED, ACCEPTED, login=PASSWORD)
for server, client, port, version in (
        ("opensmtpd", "python", 587, "1.3"), ("opensmtpd", "msmtp", 465, "1.3"), ("opensmtpd", "nodemailer", 465, "1.2"), ("opensmtpd", "msmtp", 587, "1.2"),
        ("s_server", "python", 465, "1.3"), ("s_server", "msmtp", 587, "1.3"), ("s_server", "nodemailer", 587, "1.2"), ("s_server", "python", 587, "1.2"),
        ("postfix", "nodemailer", 465, "1.3"), ("exim", "msmtp", 465, "1.3")):
    both("unknown-user-%s-by-%s-%d-tls%s" % (server, client, port, version), server, client, port, version, "a recipient that does not exist",
         NOTHING, ("stuck", "rcpt-domain-not-found" if server == "exim" else "rcpt-unknown-user", "rcpt", "550|524"),
         to="nobody@example.org", serving={"script": NO_SUCH_USER} if server == "s_server" else None)
for client, version in (("python", "1.3"), ("msmtp", "1.2"), ("nodemailer", "1.3")):
    both("wrong-password-dovecot-by-%s-465-tls%s" % (client, version), "dovecot-both", client, 465, version, "a password that is not the user's",
         NOTHING, ("stuck", "auth-bad-credentials", "auth", "535"), login="lab-Wrong-1234")
for server, client, port, version, serving in (
        ("s_server", "python", 587, "1.3", {"script": SPAM}), ("s_server", "msmtp", 465, "1.2", {"script": SPAM}),
        ("s_server", "nodemailer", 587, "1.3", {"script": SPAM}), ("exim", "msmtp", 587, "1.3", EXIM_SPAM), ("exim", "curl", 465, "1.2", EXIM_SPAM)):
    both("content-refused-%s-by-%s-%d-tls%s" % (server, client, port, version), server, client, port, version, "the text is refused at its end", DELIVERED,
         ("stuck", "data-spam-rejected", "final", "55[04]"), serving=serving)
for client, port, version in (("python", 465, "1.2"), ("msmtp", 587, "1.3"), ("nodemailer", 465, "1.3")):
    both("relay-denied-opensmtpd-by-%s-%d-tls%s" % (client, port, version), "opensmtpd", client, port, version, "a recipient elsewhere, no login", NOTHING,
         ("stuck", "rcpt-unknown-user", "rcpt", "550"), to="bob@elsewhere.example")  # "Invalid recipient" is all that it says
for client, port, version in (("python", 587, "1.2"), ("msmtp", 465, "1.3"), ("nodemailer", 587, "1.3")):
    both("sender-refused-s_server-by-%s-%d-tls%s" % (client, port, version), "s_server", client, port, version, "the sender is refused", NOTHING,
         ("stuck", "mail-sender-blocked", "mail", "550"), serving={"script": {"MAIL": "550 5.7.1 Sender address rejected: blocked"}})


# --- certificates ---
failing("chain-incomplete-known-authority-python", "python", "the certificate in between is not sent; the server's says where it can be had",
        ("stuck", "tls-cert-chain-incomplete", "tls", "C:" + ALERT + r".\x30"), "1.2", ("linked",))


def asking(name, port, version, expect, inside, given=False):
    """The server wants a certificate of the client; s_server ends the handshake when there is none."""
    @recording("tls/%s.pcap" % name, "Python -> openssl s_server", "the client has %s certificate" % ("a" if given else "no"), expect, inside=[inside] if inside else None)
    def record(lab):
        chain(lab, "good")
        s_server(lab, port, version, options=("-Verify", "1", "-verify_return_error", "-CAfile", lab.trust))
        lab.record()
        by_python(lab, port, version, context="c.load_cert_chain(%r)" % lab.chain if given else "")


WANTED = ("stuck", "tls-client-cert-required", "tls")
asking("client-certificate-missing-465-tls1.3", 465, "1.3", WANTED + (r"S:^\x17\x03\x03\x00\x13",), WANTED + (alert(116),))
asking("client-certificate-missing-465-tls1.2", 465, "1.2", WANTED + ("S:" + ALERT + r".\x28",), None)
asking("client-certificate-missing-587-tls1.2", 587, "1.2", WANTED + ("S:" + ALERT + r".\x28",), None)
asking("client-certificate-missing-587-tls1.3", 587, "1.3", NOTHING, WANTED + (alert(116),))
asking("client-certificate-given-465-tls1.3", 465, "1.3", DELIVERED, ACCEPTED, given=True)
asking("client-certificate-given-587-tls1.2", 587, "1.2", DELIVERED, ACCEPTED, given=True)


# --- damage on the way ---
CORRUPT = ("stuck", "tls-corrupt", "tls")


@recording("tls/corrupt-key-exchange-tls1.2.pcap", "Python -> Postfix", "a cable changes a part of the server's key", CORRUPT + ("C:" + ALERT + r".\x33",))
def corrupt_key_exchange(lab):
    chain(lab, "good")
    lab.cable({"fault": "overwrite", "of": "S", "when": r"\x03\x00\x1d\x20[\s\S]{3}", "by": "\x03\x00\x1d\x20ZZZ"})
    postfix_tls(lab, 587, "1.2")
    lab.record()
    by_python(lab, 587, "1.2", trust=True)


@recording("tls/corrupt-finished-tls1.2.pcap", "Python -> Postfix", "a cable changes the client's Finished behind the recorder", CORRUPT + ("S:" + ALERT + r".\x14",))
def corrupt_finished(lab):
    chain(lab, "good")
    lab.cable({"fault": "overwrite", "of": "C", "when": r"\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x28[\s\S]{8}", "by": "\x14\x03\x03\x00\x01\x01\x16\x03\x03\x00\x28ZZZZZZZZ"})
    postfix_tls(lab, 587, "1.2")
    lab.record()
    by_python(lab, 587, "1.2")


SOON = ("stuck", "tls-corrupt", "mail", alert(20))


@recording("tls/corrupt-reply-tls1.3.pcap", "Python -> Postfix", "a cable changes the answer to MAIL", NOTHING, inside=[SOON])
def corrupt_reply(lab):
    chain(lab, "good")
    lab.cable({"fault": "overwrite", "of": "S", "when": r"^\x17\x03\x03\x00\x1f[\s\S]{4}", "by": "\x17\x03\x03\x00\x1fZZZZ"})
    postfix_tls(lab, 587, "1.3")
    lab.record()
    by_python(lab, 587, "1.3")


@recording("tls/corrupt-text-tls1.2.pcap", "Python -> Postfix", "a cable changes the text behind the recorder", ("stuck", "tls-corrupt", "body", r"S:^\x15\x03\x03"),
           inside=[("stuck", "tls-corrupt", "final", alert(20))])
def corrupt_text(lab):
    chain(lab, "good")
    lab.cable({"fault": "overwrite", "of": "C", "when": r"^\x17\x03\x03([\x01-\x3f].)[\s\S]{8}", "by": "\x17\x03\x03\\g<1>ZZZZZZZZ"})
    postfix_tls(lab, 587, "1.2")
    lab.record()
    by_python(lab, 587, "1.2", then="s.sendmail('anna@example.net', 'bob@example.org', MESSAGE + 'x\\n' * 300)")


# --- special handshakes ---

def early(name, done, port=465, groups="", refused=False, used=False):
    """0-RTT. Before it a session that gives the ticket, and when it is `used` one that uses it up; neither is recorded. What is refused is typed again."""

    @recording("tls/%s.pcap" % name, "openssl s_client -> openssl s_server", done, DELIVERED, inside=[ACCEPTED])
    def record(lab):
        chain(lab, "good")
        s_server(lab, port, "1.3", options=("-early_data", "-max_early_data", "1024", *(("-groups", "P-256") if groups else ())))
        ticket, hello = os.path.join(lab.folder, "ticket"), os.path.join(lab.folder, "hello")
        with open(hello, "w", encoding="ascii") as file:
            file.write("EHLO pc.example.net\r\n")
        connect = ["openssl", "s_client", "-connect", "198.51.100.25:%d" % port, "-servername", "mx.example.org", "-crlf", "-keylogfile", lab.keylog]
        connect += ["-starttls", "smtp", "-name", "pc.example.net"] if port == 587 else []
        typed(lab, connect + ["-sess_out", ticket], ["noop", "quit"])
        again = connect + ["-sess_in", ticket, "-early_data", hello]
        if used:
            typed(lab, again, ["quit"])
        lab.record()
        typed(lab, again + (["-groups", groups] if groups else []), SENDING if refused else SENDING[1:])


early("sent-by-s_client-early-data", "0-RTT: EHLO comes with the ClientHello")
early("sent-by-s_client-early-data-starttls", "0-RTT behind STARTTLS: EHLO comes with the ClientHello", port=587)
early("sent-by-s_client-early-data-retry", "0-RTT: EHLO comes with the ClientHello; the server asks for another group, which refuses it", groups="X25519:P-256", refused=True)
early("sent-by-s_client-early-data-refused", "0-RTT: EHLO comes with the ClientHello; the ticket is used up, and the server begins anew", refused=True, used=True)


for who, order in (("server", "r"), ("client", None)):
    @recording("tls/sent-by-s_client-renegotiated-by-%s.pcap" % who, "openssl s_client -> openssl s_server", "a second handshake inside the first, which the %s begins" % who,
               DELIVERED, inside=[ACCEPTED])
    def renegotiated(lab, order=order):
        chain(lab, "good")
        s_server(lab, 587, "1.2", options=() if order else ("-client_renegotiation",), order=order)
        lab.record()
        s_client(lab, SENDING if order else SENDING[:1] + ["R"] + SENDING[1:])


@recording("tls/recipient-swallowed-by-s_client-tls1.2.pcap", "openssl s_client -> Postfix",
           "RCPT is typed in capitals: s_client takes it for an order to begin another handshake, which Postfix refuses", NOTHING,
           inside=[("stuck", "tcp-client-closed-early", "mail", alert(40))])
def swallowed(lab):
    chain(lab, "good")
    postfix_tls(lab, 587, "1.2")
    lab.record()
    s_client(lab, SENDING[:2] + ["RCPT TO:<bob@example.org>"])


# --- what is wrong with a certificate, in TLS 1.3: OpenSSL says why in clear, Node finishes and leaves ---
def in_13(name, client, done, cause, found, number, certificates):
    """`cause` is what can be seen without the certificate, `found` with it."""
    proof = "C:END" if client == "nodemailer" else "C:" + ALERT + ".\\x%02x" % number
    failing(name, client, done, ("stuck", cause, "tls", proof), "1.3", certificates, inside=hidden("1.3", found, CERTIFICATE if client == "nodemailer" else alert(number)))


in_13("not-yet-valid-nodemailer-tls1.3", "nodemailer", "the first day is in the future", "tls-client-abort-opaque", "tls-cert-not-yet-valid", 0, ("future",))
in_13("chain-incomplete-python-tls1.3", "python", "the certificate in between is not sent", "tls-cert-unknown-ca", "tls-cert-unknown-ca", 48, ("leaf",))
in_13("chain-incomplete-known-authority-python-tls1.3", "python", "the certificate in between is not sent; the server's says where it can be had",
      "tls-cert-unknown-ca", "tls-cert-chain-incomplete", 48, ("linked",))
in_13("intercepted-python-tls1.3", "python", "the issuer is a firewall", "tls-cert-unknown-ca", "mbx-tls-intercept", 48, ("opened", "gateway"))
in_13("scanner-python-tls1.3", "python", "the issuer is a virus scanner", "tls-cert-unknown-ca", "mbx-av-proxy", 48, ("scanned", "scanner"))
