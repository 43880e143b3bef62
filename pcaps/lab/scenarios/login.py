"""Logins and STARTTLS with real servers: Dovecot, Postfix with Dovecot, Exim; and what clients do about it."""
from clients import PASSWORD, TOKEN, USER, curl, msmtp, mutt, nc, openssl, snail, swaks, typed
from scenarios import recording
from server_dovecot import dovecot, postfix_logins
from server_node import haraka, nodemailer, smtp_server
from servers import certificate, exim, odd, postfix

ME = ["--port", "587", "--auth", "PLAIN", "--auth-user", USER, "--auth-password"]
TYPED_PLAIN = "AUTH PLAIN AGFubmFAZXhhbXBsZS5vcmcAbGFiLVNlY3JldC00NzEx"


@recording("auth/wrong-password-postfix.pcap", "mutt -> Postfix with Dovecot", "a wrong password", ("stuck", "auth-bad-credentials", "auth"))
def wrong_postfix(lab):
    postfix(lab, postfix_logins(lab), 587)
    lab.record()
    mutt(lab, "bob@example.org", "smtp://anna%40example.org@198.51.100.25:587", "set smtp_pass='%sx'" % PASSWORD, "set smtp_authenticators=plain")


@recording("auth/wrong-password-dovecot.pcap", "curl -> Dovecot", "a wrong password", ("stuck", "auth-bad-credentials", "auth"))
def wrong_dovecot(lab):
    dovecot(lab, "submission", 587)
    lab.record()
    curl(lab, "-u", "%s:%sx" % (USER, PASSWORD), url="smtp://198.51.100.25:587")


@recording("auth/wrong-password-nodemailer.pcap", "nodemailer -> smtp-server", "a wrong password", ("stuck", "auth-bad-credentials", "auth"))
def wrong_node(lab):
    smtp_server(lab, 587, allowInsecureAuth=True)
    lab.record()
    nodemailer(lab, {"port": 587, "auth": {"user": USER, "pass": PASSWORD + "x"}})


@recording("auth/wrong-password-until-the-server-closes.pcap", "typed by hand -> Postfix with Dovecot",
           "wrong passwords until Postfix has enough: 421 behind a row of 535", ("stuck", "auth-bad-credentials", "auth", r"S:^535 + S:421 4.7.0", "also auth-too-many-failures"))
def wrong_many(lab):
    postfix(lab, dict(postfix_logins(lab), smtpd_hard_error_limit="4", smtpd_error_sleep_time="0"), 587)
    lab.record()
    wrong = ["AUTH PLAIN AGFubmFAZXhhbXBsZS5vcmcAbGFiLVNlY3JldC00NzExeA==\r\n", "?", 0.3]
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?"] + wrong * 4 + ["?"], port=587)


@recording("auth/cleartext-disallowed-dovecot.pcap", "nc -> Dovecot", "disable_plaintext_auth = yes: no password without encryption",
           ("stuck", "auth-plaintext-refused", "auth"))
def cleartext(lab):
    dovecot(lab, "submission", 587, tls_only="yes")
    lab.record()
    nc(lab, ["EHLO pc.example.net", TYPED_PLAIN, "QUIT"], port=587)


@recording("auth/hidden-until-tls-postfix.pcap", "nc -> Postfix", "smtpd_tls_auth_only: AUTH before STARTTLS", ("stuck", "auth-hidden-until-tls", "auth"))
def hidden(lab):
    postfix(lab, dict(postfix_logins(lab), smtpd_tls_auth_only="yes", **certificate(lab)), 587)
    lab.record()
    nc(lab, ["EHLO pc.example.net", TYPED_PLAIN, "QUIT"], port=587)


@recording("auth/hidden-until-tls-client-gives-up.pcap", "swaks -> Postfix", "smtpd_tls_auth_only: the client looks for AUTH, finds none and leaves",
           ("stuck", "auth-hidden-until-tls", "hello", r"S:STARTTLS + C:QUIT"))
def hidden_quit(lab):
    postfix(lab, dict(postfix_logins(lab), smtpd_tls_auth_only="yes", **certificate(lab)), 587)
    lab.record()
    swaks(lab, *ME, PASSWORD)


@recording("auth/no-common-mechanism.pcap", "swaks -> scripted server", "the server offers GSSAPI and EXTERNAL only, the client leaves",
           ("stuck", "auth-mech-mismatch", "hello", r"S:AUTH GSSAPI + C:QUIT"))
def no_common(lab):
    odd(lab, {"EHLO": "250-mx.example.org\n250-SIZE 35000000\n250 AUTH GSSAPI EXTERNAL"}, 587)
    lab.record()
    swaks(lab, *ME, PASSWORD)


@recording("auth/temporary-failure-exim.pcap", "msmtp -> Exim", "the look-up of the password fails", ("stuck", "auth-temp-failure", "auth"))
def temporary(lab):
    exim(lab, port=587, auth="plain:\n  driver = plaintext\n  public_name = PLAIN\n  server_prompts = :\n"
         "  server_condition = ${lookup{$auth2}lsearch{/nonexistent/users}}\n")
    lab.record()
    msmtp(lab, "auth plain", "user " + USER, "password " + PASSWORD, port=587)


@recording("auth/cancelled.pcap", "typed by hand -> Exim", "the client answers the prompt with *", ("stuck", "auth-cancelled", "auth"))
def cancelled(lab):
    exim(lab, port=587)
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "AUTH LOGIN\r\n", "?", "*\r\n", "?", "QUIT\r\n", "?"], port=587)


@recording("auth/cancelled-postfix.pcap", "nc -> Postfix with Dovecot", "the client answers the prompt with *", ("stuck", "auth-cancelled", "auth"))
def cancelled_postfix(lab):
    postfix(lab, postfix_logins(lab), 587)
    lab.record()
    nc(lab, ["EHLO pc.example.net", "AUTH PLAIN", "*", "QUIT"], port=587)


@recording("auth/malformed-base64.pcap", "nc -> Exim", "the answer to the prompt is no base64", ("stuck", "auth-malformed", "auth"))
def malformed(lab):
    exim(lab, port=587)
    lab.record()
    nc(lab, ["EHLO pc.example.net", "AUTH LOGIN", "&&&", "QUIT"], port=587)


@recording("auth/oauth-token-refused-after-empty-line.pcap", "nodemailer -> scripted server", "XOAUTH2: JSON challenge, empty answer, 535",
           ("stuck", "auth-oauth-rejected", "auth", r"S:^334 eyJ + S:^535"))
def oauth(lab):
    odd(lab, {"EHLO": "250-mx.example.org\n250 AUTH XOAUTH2", "login": ["334 eyJzdGF0dXMiOiI0MDEiLCJzY2hlbWVzIjoiYmVhcmVyIG1hYyIsInNjb3BlIjoiaHR0cHM6Ly9tYWlsLmdvb2dsZS5jb20vIn0=",
              "535-5.7.8 Username and Password not accepted. Learn more at\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials x - gsmtp"]}, 587)
    lab.record()
    nodemailer(lab, {"port": 587, "auth": {"type": "OAuth2", "user": USER, "accessToken": TOKEN}})


@recording("auth/required-dovecot.pcap", "curl -> Dovecot", "a login is wanted, the client has none", ("stuck", "auth-required-not-attempted", "mail"))
def required(lab):
    dovecot(lab, "submission", 587)
    lab.record()
    curl(lab, url="smtp://198.51.100.25:587")


@recording("auth/required-nodemailer.pcap", "nodemailer -> smtp-server", "a login is wanted, the client has none", ("stuck", "auth-required-not-attempted", "mail"))
def required_node(lab):
    smtp_server(lab, 587, allowInsecureAuth=True)
    lab.record()
    nodemailer(lab, {"port": 587})


@recording("auth/settings-test.pcap", "swaks -> Postfix with Dovecot", "a login, then QUIT: a test of settings", ("no-mail", "ok-auth-test-only", "auth", "S:^235 + C:QUIT"))
def settings(lab):
    postfix(lab, postfix_logins(lab), 587)
    lab.record()
    swaks(lab, *ME, PASSWORD, "--quit-after", "AUTH")


@recording("auth/plain-accepted-dovecot.pcap", "s-nail -> Dovecot", "a login, then a mail through Dovecot's submission relay", ("delivered", "ok-delivered", "final"))
def accepted_dovecot(lab):
    dovecot(lab, "submission", 587)
    lab.record()
    snail(lab, "-S", "smtp-auth=plain", url="smtp://anna%%40example.org:%s@198.51.100.25:587" % PASSWORD)


def accepted(name, mechanism):
    @recording("auth/%s-accepted.pcap" % name, "msmtp -> Postfix with Dovecot", "AUTH %s with the right password" % mechanism.upper(), ("delivered", "ok-delivered", "final"))
    def function(lab):
        postfix(lab, dict(postfix_logins(lab, mechanisms=mechanism), smtpd_relay_restrictions="permit_sasl_authenticated reject"), 587)
        lab.record()
        msmtp(lab, "auth " + mechanism, "user " + USER, "password " + PASSWORD, port=587)


accepted("digest-md5", "digest-md5")
accepted("scram-sha-1", "scram-sha-1")
accepted("login-postfix", "login")


@recording("auth/ntlm-refused.pcap", "curl -> scripted server", "AUTH NTLM: the type-3 message is refused (Exchange's words)", ("stuck", "auth-bad-credentials", "auth"))
def ntlm(lab):
    odd(lab, {"EHLO": "250-mx.example.org\n250 AUTH NTLM", "login": [
        "334 TlRMTVNTUAACAAAADAAMADgAAAAFAokCASNFZ4mrze8AAAAAAAAAACQAJABEAAAABgGxHQAAAA9MAEEAQgBOAEUAVAACAAwATABBAEIATgBFAFQAAQAMAEwAQQBCAFMAUgBWAAAAAAA=",
        "535 5.7.3 Authentication unsuccessful"]}, 587)
    lab.record()
    curl(lab, "--ntlm", "--login-options", "AUTH=NTLM", "-u", "LABNET\\anna:%s" % PASSWORD, url="smtp://198.51.100.25:587")


def words(name, done, cause, reply, **script):
    @recording("auth/%s.pcap" % name, "swaks -> scripted server", done, ("stuck", cause, "auth"))
    def function(lab):
        odd(lab, dict({"EHLO": "250-mx.example.org\n250 AUTH PLAIN LOGIN", "login": reply}, **script), 587)
        lab.record()
        swaks(lab, *ME, PASSWORD)


words("app-password-other-words", "a provider asks for an app password", "auth-app-password-required",
      "535 5.7.8 Error: authentication failed: an app-specific password is required, see https://help.example.org/app-passwords")
words("account-suspended", "the account is suspended", "auth-account-disabled", "535 5.7.8 Your account has been suspended, please contact support")
words("password-expired", "432: the password must be changed first", "auth-account-disabled", "432 4.7.12 A password transition is needed")
words("security-defaults", "Microsoft's words when security defaults forbid the login", "auth-tenant-disabled",
      "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator.")
words("credentials-incorrect-365", "Microsoft's words for a wrong password", "auth-bad-credentials",
      "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect. [AM0PR01CA0001.eurprd01.prod.exchangelabs.com]")
words("service-unavailable-421", "421 to AUTH", "auth-temp-failure", "421 4.7.66 Authentication service temporarily unavailable, please try again later!close")


@recording("starttls/required-postfix.pcap", "swaks -> Postfix", "smtpd_tls_security_level = encrypt, the client does not start TLS",
           ("stuck", "starttls-required-not-used", "mail"))
def tls_required(lab):
    postfix(lab, dict(certificate(lab), smtpd_tls_security_level="encrypt"), 587)
    lab.record()
    swaks(lab, "--port", "587")


@recording("starttls/required-login-postfix.pcap", "nc -> Postfix with Dovecot", "smtpd_tls_security_level = encrypt, AUTH without TLS",
           ("stuck", "starttls-required-not-used", "auth"))
def tls_required_auth(lab):
    postfix(lab, dict(postfix_logins(lab), **dict(certificate(lab), smtpd_tls_security_level="encrypt")), 587)
    lab.record()
    nc(lab, ["EHLO pc.example.net", TYPED_PLAIN, "QUIT"], port=587)


@recording("starttls/broken-certificate-postfix.pcap", "openssl s_client -> Postfix", "STARTTLS is offered, the server cannot read its certificate",
           ("stuck", "starttls-rejected-temp", "starttls"))
def tls_broken(lab):
    postfix(lab, {"smtpd_tls_security_level": "may", "smtpd_tls_cert_file": "/nonexistent/tls.pem"}, 587)
    lab.record()
    openssl(lab)


@recording("starttls/refused-exim.pcap", "openssl s_client -> Exim", "STARTTLS is not offered, the client tries it all the same",
           ("stuck", "starttls-rejected-perm", "starttls"))
def tls_refused(lab):
    exim(lab, port=587)
    lab.record()
    openssl(lab)


@recording("starttls/unknown-command-haraka.pcap", "nc -> Haraka", "STARTTLS is not offered and not known", ("stuck", "starttls-rejected-perm", "starttls"))
def tls_unknown(lab):
    haraka(lab, 587)
    lab.record()
    nc(lab, ["EHLO pc.example.net", "STARTTLS", "QUIT"], port=587)


@recording("starttls/pipelined.pcap", "typed by hand -> scripted server", "the client sends EHLO right behind STARTTLS (Gmail's words)",
           ("stuck", "starttls-pipelined", "starttls"))
def tls_pipelined(lab):
    odd(lab, {"EHLO": "250-mx.example.org\n250 STARTTLS", "STARTTLS": "454 4.5.0 SMTP protocol violation, no commands allowed to pipeline after STARTTLS x - gsmtp!close"}, 587)
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "STARTTLS\r\nEHLO pc.example.net\r\n", "?", 0.2], port=587)


@recording("starttls/client-closes-after-220.pcap", "typed by hand -> Postfix", "STARTTLS is accepted, the client closes instead of starting TLS",
           ("stuck", "starttls-not-followed", "starttls"))
def tls_not_followed(lab):
    postfix(lab, certificate(lab), 587)
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "STARTTLS\r\n", "?", 0.3], port=587)


@recording("starttls/sent-inside-tls.pcap", "swaks -> Postfix", "a mail inside STARTTLS: the dialogue is encrypted",
           ("unknown", "enc-likely-delivered", "tls", "LAST", "TLS 1.3: DATA is a record of 6 bytes, then the text, an answer, and QUIT"))
def tls_sent(lab):
    postfix(lab, certificate(lab), 587)
    lab.record()
    swaks(lab, "--port", "587", "--tls")
