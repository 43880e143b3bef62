"""TLS with real servers and clients: mail that goes through, mail that is refused inside the encryption, handshakes that fail.

What INDEX.tsv says of them is what can be read without keys; `inside` is what the key log shows, for KEYS.tsv.
"""
import os
import sys
import threading

from clients import MESSAGE, PASSWORD, SERVER, USER, curl, msmtp, mutt, postfix as relay, smtplib, swaks
from scenarios import recording
from server_dovecot import dovecot, postfix_logins
from server_node import nodemailer, smtp_server
from servers import exim, odd, postfix

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "tests", "support"))
from tls import STORE  # noqa: E402  # pylint: disable=wrong-import-position

LOCK = threading.Lock()
HELLO, ALERT = r"C:^\x16\x03", r"\x15\x03.\x00\x02"
WORDS = HELLO + r" + S:^\x17\x03@last"
DELIVERED, NOTHING = ("unknown", "enc-likely-delivered", "tls", WORDS), ("unknown", "enc-no-upload", "tls", WORDS)
ACCEPTED = ("delivered", "ok-delivered", "final", "250")
NO_GOODBYE = ("delivered", "quit-problem", "quit", "250")


def chain(lab, *names):
    """Certificates (the first with its key in front) and the root that clients may trust, in the recording's folder."""
    with LOCK:
        source, root = STORE.chain(list(names)), STORE.anchor()
        with open(source, encoding="ascii") as file:
            text = file.read()
        with open(root, encoding="ascii") as file:
            anchor = file.read()
    lab.chain, lab.key, lab.trust = (os.path.join(lab.folder, name) for name in ("chain.pem", "key.pem", "root.pem"))
    for path, content in ((lab.chain, text), (lab.key, text), (lab.trust, anchor)):
        with open(path, "w", encoding="ascii") as file:
            file.write(content)
        os.chmod(path, 0o644)


# --- servers: each offers STARTTLS on 587 or TLS at once on 465 ---

def postfix_tls(lab, port, version="", **more):
    settings = {"smtpd_tls_security_level": "may", "smtpd_tls_chain_files": lab.chain, "smtpd_tls_auth_only": "yes"}
    if version:
        settings["smtpd_tls_protocols"] = settings["smtpd_tls_mandatory_protocols"] = ">=TLSv%s, <=TLSv%s" % (version, version)
    if port == 465:
        settings["smtpd_tls_wrappermode"] = "yes"
    postfix(lab, dict(settings, **more), port)


def postfix_login(lab, port, version="", **more):
    postfix_tls(lab, port, version, **dict(postfix_logins(lab), smtpd_tls_security_level="encrypt" if port == 587 else "may", **more))


def exim_tls(lab, port, version="", **more):
    main = "tls_certificate = %s\ntls_privatekey = %s\n%s" % (lab.chain, lab.key, more.pop("main", ""))
    main += "tls_on_connect_ports = 465\n" if port == 465 else "tls_advertise_hosts = *\n"
    if version:
        main += "tls_require_ciphers = NORMAL:-VERS-ALL:+VERS-TLS%s\n" % version
    exim(lab, port=port, main=main, **more)


def dovecot_tls(lab, port, version="", **more):
    extra = "ssl = yes\nssl_cert = <%s\nssl_key = <%s\n" % (lab.chain, lab.key)
    dovecot(lab, "submission", port, tls_only="yes", more=extra + more.get("more", ""))


def node_tls(lab, port, version="", **more):
    with open(lab.chain, encoding="ascii") as file:
        text = file.read()
    options = {"secure": port == 465, "key": text, "cert": text, "authOptional": True, "disabledCommands": []}
    if version:
        options.update(minVersion="TLSv" + version, maxVersion="TLSv" + version)
    smtp_server(lab, port, **dict(options, **more))


SERVERS = {"postfix": (postfix_tls, "Postfix"), "exim": (exim_tls, "Exim"), "dovecot": (dovecot_tls, "Dovecot"), "node": (node_tls, "smtp-server"), "login": (postfix_login, "Postfix with Dovecot")}


# --- clients: login is a password or "", trust says whether they look at the certificate ---

def by_curl(lab, port, version="", login="", to="bob@example.org", sender="anna@example.net", trust=False, message=MESSAGE):
    options = ["--cacert", lab.trust] if trust else ["-k"]
    options += ["--resolve", "mx.example.org:%d:%s" % (port, SERVER)]
    options += ["--tls-max", version] + (["--tlsv1.3"] if version == "1.3" else []) if version else []
    options += ["-u", "%s:%s" % (USER, login)] if login else []
    url = "smtps://mx.example.org:465/pc.example.net" if port == 465 else "smtp://mx.example.org:%d/pc.example.net" % port
    curl(lab, *options, *(["--ssl-reqd"] if port != 465 else []), url=url, to=(to,), sender=sender, message=message)


def by_msmtp(lab, port, version="", login="", to="bob@example.org", sender="anna@example.net", trust=False):
    settings = ["tls on", "tls_starttls %s" % ("off" if port == 465 else "on")]
    settings += ["tls_trust_file %s" % lab.trust, "tls_host_override mx.example.org"] if trust else ["tls_certcheck off"]
    settings += ["tls_priorities NORMAL:-VERS-ALL:+VERS-TLS%s" % version] if version else []
    settings += ["auth plain", "user " + USER, "password " + login] if login else []
    msmtp(lab, *settings, to=to, sender=sender, port=port)


def by_node(lab, port, version="", login="", to="bob@example.org", sender="anna@example.net", trust=False):
    tls = {"rejectUnauthorized": trust, "servername": "mx.example.org"}
    if trust:
        with open(lab.trust, encoding="ascii") as file:
            tls["ca"] = file.read()
    if version:
        tls.update(minVersion="TLSv" + version, maxVersion="TLSv" + version)
    options = {"port": port, "secure": port == 465, "ignoreTLS": False, "requireTLS": port != 465, "tls": tls}
    if login:
        options["auth"] = {"user": USER, "pass": login}
    nodemailer(lab, options, {"to": to, "from": sender})


def by_python(lab, port, version="", login="", to="bob@example.org", sender="anna@example.net", trust=False, then="", context=""):
    begin = "s = smtplib.SMTP_SSL(SERVER, %d, local_hostname='pc.example.net', context=c)" % port if port == 465 else (
        "s = smtplib.SMTP(SERVER, %d, local_hostname='pc.example.net'); s._host = 'mx.example.org'; s.ehlo(); s.starttls(context=c)" % port)
    smtplib(lab, """
import ssl, os
c = ssl.create_default_context(cafile=%r)
%s
c.check_hostname = c.check_hostname and %r and %d != 465
%s
try:
    %s
    %s
    %s
    s.quit()
except (smtplib.SMTPException, OSError) as error:
    print(error)
    try:
        s.quit()
    except Exception:
        pass
""" % (lab.trust, "" if trust else "c.check_hostname = False; c.verify_mode = ssl.CERT_NONE", trust, port,
            ("c.minimum_version = c.maximum_version = ssl.TLSVersion.TLSv1_%s\n" % version[2] if version else "") + context, begin,
            "s.login(%r, %r)" % (USER, login) if login else "pass",
            then or "s.sendmail(%r, %r, MESSAGE)" % (sender, to)))


def by_mutt(lab, port, version="", login="", to="bob@example.org", sender="anna@example.net", trust=False):
    certificates = os.path.join(lab.folder, "accepted")
    with open(certificates, "w", encoding="ascii") as out, open(lab.chain, encoding="ascii") as chain_file, open(lab.trust, encoding="ascii") as root:
        text = chain_file.read()
        out.write(text[text.index("-----BEGIN CERTIFICATE"):] + root.read())
    settings = ["set certificate_file=%s ssl_verify_host=no" % certificates, "set ssl_starttls=yes ssl_force_tls=yes", "set from=%s" % sender]
    settings += ["set ssl_use_tlsv1_3=%s ssl_use_tlsv1_2=%s" % (("yes", "no") if version == "1.3" else ("no", "yes"))] if version else []
    settings += ["set smtp_pass='%s' smtp_authenticators=plain" % login] if login else []
    who = "anna%40example.org@" if login else ""
    mutt(lab, to, "%s://%s%s:%d" % ("smtps" if port == 465 else "smtp", who, SERVER, port), *settings)


def by_swaks(lab, port, version="", login="", to="bob@example.org", sender="anna@example.net", trust=False):
    options = ["--port", str(port), "--tlsc" if port == 465 else "--tls"]
    options += ["--tls-protocol", "tlsv" + version.replace(".", "_")] if version else []
    options += ["--auth", "PLAIN", "--auth-user", USER, "--auth-password", login] if login else []
    swaks(lab, *options, to=to, sender=sender)


def by_postfix(lab, port, version="", login="", to="bob@example.org", sender="anna@example.net", trust=False):
    settings = {"smtp_tls_security_level": "encrypt", "relayhost": "[%s]:%d" % (SERVER, port)}
    if version:
        settings["smtp_tls_mandatory_protocols"] = ">=TLSv%s, <=TLSv%s" % (version, version)
    if port == 465:
        settings["smtp_tls_wrappermode"] = "yes"
    relay(lab, to=(to,), **settings)


CLIENTS = {"curl": (by_curl, "curl"), "msmtp": (by_msmtp, "msmtp"), "nodemailer": (by_node, "nodemailer"), "python": (by_python, "Python"),
           "mutt": (by_mutt, "mutt"), "swaks": (by_swaks, "swaks"), "relay": (by_postfix, "Postfix")}


def both(name, server, client, port, version, done, expect, inside, certificates=None, login="", serving=None, **sending):
    """A recording of one server and one client."""
    serve, server_name = SERVERS[server]
    if client == "nodemailer" and inside is ACCEPTED:
        inside = NO_GOODBYE  # it ends the encryption and closes
    send, client_name = CLIENTS[client]

    @recording("tls/%s.pcap" % name, "%s -> %s" % (client_name, server_name), done, expect, inside=[inside] if inside else None)
    def record(lab):
        chain(lab, *(certificates or ("rsa",)))
        serve(lab, port, version if server in ("postfix", "exim", "node", "login") else "", **(serving or {}))
        lab.record()
        send(lab, port, version, login=login, **sending)
    return record


# --- mail that goes through ---
for number, (server, client, port, version) in enumerate((
        ("postfix", "curl", 587, "1.3"), ("postfix", "curl", 587, "1.2"), ("postfix", "msmtp", 587, "1.3"), ("postfix", "msmtp", 465, "1.2"),
        ("postfix", "nodemailer", 587, "1.3"), ("postfix", "nodemailer", 465, "1.2"), ("postfix", "python", 587, "1.2"),
        ("postfix", "python", 465, "1.3"), ("postfix", "mutt", 587, "1.3"), ("postfix", "swaks", 587, "1.2"), ("postfix", "relay", 587, "1.3"),
        ("exim", "curl", 587, "1.3"), ("exim", "curl", 465, "1.2"), ("exim", "msmtp", 587, "1.2"), ("exim", "nodemailer", 587, "1.3"),
        ("exim", "python", 587, "1.2"), ("exim", "relay", 587, "1.3"), ("exim", "mutt", 465, "1.3"), ("exim", "msmtp", 465, "1.3"),
        ("node", "curl", 465, "1.3"), ("node", "msmtp", 587, "1.3"), ("node", "nodemailer", 465, "1.2"), ("node", "python", 587, "1.2"),
        ("node", "swaks", 465, "1.3"))):
    both("sent-%s-by-%s-%d-tls%s" % (server, client, port, version), server, client, port, version,
         "%s, TLS %s" % ("STARTTLS" if port == 587 else "TLS from the first byte", version), DELIVERED, ACCEPTED)
for client, port, version in (("curl", 587, "1.3"), ("msmtp", 587, "1.2"), ("python", 587, "1.3"), ("nodemailer", 587, "1.2")):
    both("sent-dovecot-by-%s-%d-tls%s" % (client, port, version), "dovecot", client, port, version, "with a login, TLS %s" % version,
         DELIVERED, ACCEPTED, login=PASSWORD)
for client, port, version in (("curl", 587, "1.3"), ("msmtp", 587, "1.2"), ("nodemailer", 465, "1.3"), ("python", 587, "1.2"), ("mutt", 587, "1.3")):
    both("sent-with-login-by-%s-%d-tls%s" % (client, port, version), "login", client, port, version,
         "with a login, TLS %s" % version, DELIVERED, ACCEPTED, login=PASSWORD)

# --- mail that is refused inside (Exim says "Unrouteable address", as of a domain that does not exist) ---
for server, client, port, version in (("login", "curl", 587, "1.3"), ("login", "msmtp", 587, "1.2"), ("login", "nodemailer", 465, "1.3"),
                                      ("login", "python", 465, "1.2"), ("login", "mutt", 587, "1.2"), ("login", "swaks", 587, "1.3"),
                                      ("dovecot", "curl", 587, "1.2"), ("dovecot", "msmtp", 587, "1.3"), ("node", "nodemailer", 587, "1.2"),
                                      ("node", "python", 587, "1.3")):
    both("wrong-password-%s-by-%s-%d-tls%s" % (server, client, port, version), server, client, port, version, "a wrong password", NOTHING,
         ("stuck", "auth-bad-credentials", "auth", "535"), login=PASSWORD + "x")
for server, client, port, version in (("postfix", "curl", 587, "1.2"), ("postfix", "msmtp", 587, "1.3"), ("postfix", "nodemailer", 587, "1.2"),
                                      ("postfix", "python", 587, "1.3"), ("postfix", "swaks", 465, "1.3"), ("exim", "curl", 465, "1.3"),
                                      ("exim", "msmtp", 587, "1.2"), ("exim", "python", 587, "1.3"), ("exim", "nodemailer", 465, "1.2"),
                                      ("exim", "swaks", 465, "1.2")):
    both("unknown-user-%s-by-%s-%d-tls%s" % (server, client, port, version), server, client, port, version, "a recipient that does not exist",
         NOTHING, ("stuck", "rcpt-domain-not-found" if server == "exim" else "rcpt-unknown-user", "rcpt", "550"), to="nobody@example.org")
for server, client, port, version in (("postfix", "curl", 587, "1.3"), ("postfix", "msmtp", 465, "1.3"), ("postfix", "python", 587, "1.2"),
                                      ("postfix", "mutt", 587, "1.2"), ("exim", "nodemailer", 587, "1.2"), ("exim", "swaks", 587, "1.3")):
    both("relay-denied-%s-by-%s-%d-tls%s" % (server, client, port, version), server, client, port, version, "a recipient elsewhere, no login",
         NOTHING, ("stuck", "rcpt-relay-denied", "rcpt", "55[04]"), to="bob@elsewhere.example")
both("sender-refused-postfix-by-nodemailer", "postfix", "nodemailer", 587, "1.3", "the sender is refused", NOTHING,
     ("stuck", "mail-sender-blocked", "mail", "55[0-9]"), serving={"smtpd_sender_restrictions": "check_sender_access inline:{anna@example.net=REJECT}",
                                                                "smtpd_delay_reject": "no"})
for client, version in (("curl", "1.3"), ("python", "1.2"), ("nodemailer", "1.2")):
    both("content-refused-postfix-by-%s-tls%s" % (client, version), "postfix", client, 587, version,
         "the content is refused at the end of the text: an upload that failed", DELIVERED, ("stuck", "data-spam-rejected", "final", "550"),
         serving={"header_checks": "regexp:{{/^Subject:/ REJECT}}"})
for client, version in (("python", "1.3"), ("python", "1.2")):
    both("settings-test-%s-tls%s" % (client, version), "postfix", client, 587, version, "EHLO in clear, NOOP and QUIT inside TLS", NOTHING,
         ("no-mail", "ok-no-attempt", "hello", "250"), then="s.noop()")


# --- handshakes that fail ---
def failing(name, client, done, expect, version="1.2", certificates=("good",), port=587, trust=True, server="postfix", inside=None, **more):
    return both(name, server, client, port, version, done, expect, inside, certificates=certificates, trust=trust, **more)


EXPIRED = ("stuck", "tls-cert-expired", "tls")
CERTIFICATE = "tls.handshake.type == 11"


def hidden(version, cause, proof):
    """What the keys show of a handshake of TLS 1.3 that failed; in TLS 1.2 it is in clear."""
    return ("stuck", cause, "tls", proof) if version == "1.3" else None


def alert(number):
    return "tls.alert_message.desc == %d" % number


for version in ("1.2", "1.3"):
    for client in ("python", "curl"):
        failing("expired-%s-tls%s" % (client, version), client, "the certificate has expired (OpenSSL)", EXPIRED + ("C:" + ALERT,), version, ("expired",),
                inside=hidden(version, "tls-cert-expired", alert(45)))
    failing("self-signed-python-tls" + version, "python", "its own issuer (OpenSSL)",
            ("stuck", "tls-cert-self-signed" if version == "1.2" else "tls-cert-unknown-ca", "tls", "C:" + ALERT), version, ("own",),
            inside=hidden(version, "tls-cert-self-signed", alert(48)))
    failing("unknown-ca-curl-tls" + version, "curl", "an authority that nobody knows (OpenSSL)",
            ("stuck", "tls-cert-unknown-ca", "tls", "C:" + ALERT), version, ("unknown", "stranger"), inside=hidden(version, "tls-cert-unknown-ca", alert(48)))
    failing("wrong-name-python-tls" + version, "python", "another name (OpenSSL)", ("stuck", "tls-cert-name-mismatch", "tls", "C:" + ALERT), version,
            ("other",), inside=hidden(version, "tls-cert-name-mismatch", alert(42)))
failing("not-yet-valid-python", "python", "the first day is in the future", ("stuck", "tls-cert-not-yet-valid", "tls", "C:" + ALERT), "1.2", ("future",))
failing("expired-msmtp-tls1.2", "msmtp", "the certificate has expired (GnuTLS finishes, then leaves)", EXPIRED + ("C:END",), "1.2", ("expired",))
failing("expired-msmtp-tls1.3", "msmtp", "the same in TLS 1.3: nothing can be seen without keys",
        ("stuck", "tls-client-abort-opaque", "tls", "C:END"), "1.3", ("expired",), inside=hidden("1.3", "tls-cert-expired", CERTIFICATE))
failing("expired-nodemailer-tls1.2", "nodemailer", "the certificate has expired (Node finishes, then leaves)", EXPIRED + ("C:END",), "1.2", ("expired",))
failing("expired-nodemailer-tls1.3", "nodemailer", "the same in TLS 1.3: nothing can be seen without keys",
        ("stuck", "tls-client-abort-opaque", "tls", "C:END"), "1.3", ("expired",), inside=hidden("1.3", "tls-cert-expired", CERTIFICATE))
failing("wrong-name-nodemailer-tls1.2", "nodemailer", "another name (Node finishes, then leaves)", ("stuck", "tls-cert-name-mismatch", "tls", "C:END"),
        "1.2", ("other",))
failing("scanner-python", "python", "the issuer is a virus scanner", ("stuck", "mbx-av-proxy", "tls", "C:" + ALERT), "1.2", ("scanned", "scanner"))


@recording("tls/old-client.pcap", "Python -> Postfix", "the client can do TLS 1.0 and 1.1 only",
           ("stuck", "tls-version-mismatch", "tls", HELLO + " + S:" + ALERT))
def old_client(lab):
    chain(lab, "rsa")
    postfix_tls(lab, 587, **{"smtpd_tls_protocols": ">=TLSv1.2"})
    lab.record()
    by_python(lab, 587, context="c.set_ciphers('ALL:@SECLEVEL=0'); c.minimum_version = ssl.TLSVersion.TLSv1; c.maximum_version = ssl.TLSVersion.TLSv1_1")


@recording("tls/no-shared-cipher.pcap", "Python -> Postfix", "an RSA certificate, and a client that wants ECDSA",
           ("stuck", "tls-no-shared-cipher", "tls", HELLO + " + S:" + ALERT))
def no_shared_cipher(lab):
    chain(lab, "rsa")
    postfix_tls(lab, 587, "1.2")
    lab.record()
    by_python(lab, 587, context="c.set_ciphers('ECDHE-ECDSA-AES128-GCM-SHA256'); c.maximum_version = ssl.TLSVersion.TLSv1_2")


@recording("tls/client-certificate-wanted-tls1.2.pcap", "Python -> Postfix", "smtpd_tls_req_ccert: a last word inside, and an alert",
           ("stuck", "tls-client-cert-required", "tls", HELLO + r" + S:^\x16\x03 + S:^\x17\x03@last"))
def certificate_wanted(lab):
    chain(lab, "rsa")
    postfix_tls(lab, 465, "1.2", **{"smtpd_tls_req_ccert": "yes", "smtpd_tls_security_level": "encrypt", "smtpd_tls_CAfile": lab.trust})
    lab.record()
    by_python(lab, 465, "1.2")


@recording("tls/tls-to-plain-port.pcap", "curl -> Postfix", "TLS at once on a port that begins in clear",
           ("stuck", "mode-tls-to-plain-port", "greeting", HELLO + " + S:^220"))
def tls_to_plain(lab):
    chain(lab, "rsa")
    postfix_tls(lab, 587)
    lab.record()
    curl(lab, "-k", url="smtps://%s:587" % SERVER)


@recording("tls/plain-to-tls-port.pcap", "msmtp -> Postfix", "a client that waits for a greeting on 465",
           ("stuck", "mode-plain-to-tls-port", "greeting", "C:SYN + C:END"))
def plain_to_tls(lab):
    chain(lab, "rsa")
    postfix_tls(lab, 465)
    lab.record()
    msmtp(lab, "timeout 8", port=465)


@recording("tls/handshake-swallowed.pcap", "curl -> scripted server", "220 to STARTTLS, and then not a byte", ("stuck", "tls-handshake-timeout", "tls", HELLO + " + C:END"))
def swallowed(lab):
    lab.spawn(lab.server, ["/usr/bin/python3", "-c", """
import socket, time
s = socket.create_server(('0.0.0.0', 587)); c = s.accept()[0]
c.sendall(b'220 mx.example.org ESMTP\\r\\n'); c.recv(999); c.sendall(b'250-mx.example.org\\r\\n250 STARTTLS\\r\\n')
c.recv(999); c.sendall(b'220 go\\r\\n'); time.sleep(60)
"""])
    lab.wait_port(587)
    lab.record()
    curl(lab, "-k", "--ssl-reqd", "--connect-timeout", "8", url="smtp://%s:587/pc.example.net" % SERVER)


@recording("tls/probe-handshake-only.pcap", "Python -> Postfix", "a monitor: handshake, six seconds, close",
           ("no-mail", "ok-no-attempt", "tls", HELLO + " + C:END", "also tls-client-abort-opaque"))
def probe(lab):
    chain(lab, "rsa")
    postfix_tls(lab, 587, "1.3")
    lab.record()
    smtplib(lab, """
import ssl
c = ssl.create_default_context(); c.check_hostname = False; c.verify_mode = ssl.CERT_NONE
s = smtplib.SMTP(SERVER, 587, local_hostname='pc.example.net'); s.ehlo(); s.starttls(context=c)
time.sleep(6)
s.sock.close()
""")
