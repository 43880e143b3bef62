from clients import PASSWORD, TOKEN, USER, curl, msmtp, smtplib, snail, swaks, typed
from scenarios import recording
from servers import exim, odd

AUTH_PLAIN = "250-mx.example.org\n250-PIPELINING\n250-SIZE 35000000\n250 AUTH PLAIN LOGIN"


@recording("auth/login-accepted.pcap", "swaks -> Exim", "AUTH PLAIN with the right password", ("delivered", "ok-delivered", "final"))
def accepted(lab):
    exim(lab, port=587)
    lab.record()
    swaks(lab, "--port", "587", "--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD)


@recording("auth/cram-md5-accepted.pcap", "msmtp -> Exim", "AUTH CRAM-MD5 with the right password", ("delivered", "ok-delivered", "final"))
def cram(lab):
    exim(lab, port=587)
    lab.record()
    msmtp(lab, "auth cram-md5", "user " + USER, "password " + PASSWORD, port=587)


@recording("auth/wrong-password-plain.pcap", "curl -> Exim", "AUTH PLAIN with a wrong password", ("stuck", "auth-bad-credentials", "auth"))
def wrong_plain(lab):
    exim(lab, port=587)
    lab.record()
    curl(lab, "--login-options", "AUTH=PLAIN", "-u", USER + ":" + PASSWORD + "x", url="smtp://198.51.100.25:587")


@recording("auth/wrong-password-login.pcap", "s-nail -> Exim", "AUTH LOGIN with a wrong password", ("stuck", "auth-bad-credentials", "auth"))
def wrong_login(lab):
    exim(lab, port=587)
    lab.record()
    snail(lab, "-S", "smtp-auth=login", "-S", "user=" + USER, "-S", "password=%sx" % PASSWORD,
          url="smtp://anna%%40example.org:%sx@198.51.100.25:587" % PASSWORD)


@recording("auth/first-mechanism-refused-second-accepted.pcap", "Python smtplib -> scripted server",
           "CRAM-MD5 is refused, LOGIN is accepted", ("delivered", "ok-delivered", "final"))
def second(lab):
    odd(lab, {"EHLO": "250-mx.example.org\n250 AUTH CRAM-MD5 LOGIN", "login": ["535 5.7.8 Error: authentication failed", "235 2.7.0 Ok"]}, 587)
    lab.record()
    smtplib(lab, """
s = smtplib.SMTP(SERVER, 587, local_hostname='pc.example.net'); s.login(%r, %r)
s.sendmail('anna@example.net', ['bob@example.org'], MESSAGE); s.quit()
""" % (USER, PASSWORD))


def provider(name, done, cause, reply, port=587, client="swaks", **script):
    """A provider's words to a login, with a real client on the other side."""
    def function(lab):
        odd(lab, dict({"EHLO": AUTH_PLAIN, "login": reply}, **script), port)
        lab.record()
        if client == "swaks":
            swaks(lab, "--port", str(port), "--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD)
        elif client == "curl":
            curl(lab, "-u", USER + ":" + PASSWORD, url="smtp://198.51.100.25:%d" % port)
        else:
            msmtp(lab, "auth plain", "user " + USER, "password " + PASSWORD, port=port)
    recording("auth/%s.pcap" % name, client + " -> scripted server", done, ("stuck", cause, "auth"))(function)


provider("app-password.pcap"[:-5], "Gmail's words when an app password is needed", "auth-app-password-required",
         "534-5.7.9 Application-specific password required. Learn more at\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor x - gsmtp")
provider("web-login", "Gmail's words when a login with the browser is needed", "auth-web-login-required",
         "534-5.7.14 <https://accounts.google.com/signin/continue> Please log in via your web browser and\n534 5.7.14 then try again.", client="curl")
provider("tenant-disabled", "Microsoft's words when SMTP AUTH is switched off", "auth-tenant-disabled",
         "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled")
provider("basic-auth-retired", "Microsoft's words when basic authentication is gone", "auth-basic-retired",
         "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", client="msmtp")
provider("account-disabled", "the account is disabled", "auth-account-disabled", "525 5.7.13 Account disabled")
provider("temporary-failure", "the login service is down", "auth-temp-failure",
         "454 4.7.0 Temporary authentication failure: Connection lost to authentication server", client="msmtp")
provider("too-many-failures", "Yahoo's words after many wrong passwords", "auth-too-many-failures",
         "535 5.7.0 (#AUTH005) Too many bad auth attempts.", client="curl")


@recording("auth/encryption-required.pcap", "swaks -> scripted server", "538: no passwords in clear text", ("stuck", "auth-plaintext-refused", "auth"))
def encryption_required(lab):
    odd(lab, {"EHLO": "250-mx.example.org\n250-STARTTLS\n250 AUTH PLAIN",
              "login": "538 5.7.11 Encryption required for requested authentication mechanism"}, 587)
    lab.record()
    swaks(lab, "--port", "587", "--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD)


@recording("auth/mechanism-unknown.pcap", "typed by hand -> Exim", "AUTH with a mechanism that the server does not have",
           ("stuck", "auth-mech-mismatch", "auth"))
def mechanism(lab):
    exim(lab, port=587)
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "AUTH DIGEST-MD5\r\n", "?", "QUIT\r\n", "?"], port=587)


@recording("auth/not-offered.pcap", "typed by hand -> Exim", "AUTH on a server without logins", ("stuck", "auth-not-offered", "auth"))
def not_offered(lab):
    exim(lab, port=25, auth="")
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "AUTH PLAIN AGFubmFAZXhhbXBsZS5vcmcAbGFiLVNlY3JldC00NzEx\r\n", "?", "QUIT\r\n", "?"])


@recording("auth/hidden-until-tls.pcap", "typed by hand -> scripted server", "AUTH in clear though only STARTTLS is offered (Exim's words)",
           ("stuck", "auth-hidden-until-tls", "auth"))
def hidden(lab):
    odd(lab, {"EHLO": "250-mx.example.org\n250-STARTTLS\n250 SIZE 35000000", "AUTH": "503 AUTH command used when not advertised"}, 587)
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "AUTH PLAIN AGFubmFAZXhhbXBsZS5vcmcAbGFiLVNlY3JldC00NzEx\r\n", "?", "QUIT\r\n", "?"], port=587)


@recording("auth/oauth-token-refused.pcap", "curl -> scripted server", "XOAUTH2: the token is refused with a JSON challenge",
           ("stuck", "auth-oauth-rejected", "auth"))
def oauth(lab):
    odd(lab, {"EHLO": "250-mx.example.org\n250 AUTH XOAUTH2",
              "login": ["334 eyJzdGF0dXMiOiI0MDAiLCJzY2hlbWVzIjoiQmVhcmVyIiwic2NvcGUiOiJodHRwczovL21haWwuZXhhbXBsZS8ifQ==",
                        "535 5.7.8 Username and Password not accepted"]}, 587)
    lab.record()
    curl(lab, "--oauth2-bearer", TOKEN, "-u", USER + ":", url="smtp://198.51.100.25:587")


@recording("auth/required-but-not-tried.pcap", "swaks -> scripted server", "530: a login is wanted, the client has none set up",
           ("stuck", "auth-required-not-attempted", "mail"))
def required(lab):
    odd(lab, {"EHLO": AUTH_PLAIN, "MAIL": "530-5.5.1 Authentication Required. Learn more at\n530 5.5.1  https://support.google.com/mail/?p=WantAuthError x - gsmtp"}, 587)
    lab.record()
    swaks(lab, "--port", "587")


@recording("starttls/required-not-used.pcap", "swaks -> scripted server", "530: STARTTLS is wanted first", ("stuck", "starttls-required-not-used", "mail"))
def starttls_required(lab):
    odd(lab, {"EHLO": "250-mx.example.org\n250 STARTTLS", "MAIL": "530 5.7.0 Must issue a STARTTLS command first"}, 587)
    lab.record()
    swaks(lab, "--port", "587")


@recording("starttls/refused-for-now.pcap", "curl -> scripted server", "454 to STARTTLS, the client insists on it",
           ("stuck", "starttls-rejected-temp", "starttls"))
def starttls_454(lab):
    odd(lab, {"EHLO": "250-mx.example.org\n250 STARTTLS", "STARTTLS": "454 4.7.0 TLS not available due to local problem"}, 587)
    lab.record()
    curl(lab, "--ssl-reqd", url="smtp://198.51.100.25:587")


@recording("starttls/not-offered.pcap", "curl -> Exim", "the client insists on STARTTLS, the server does not offer it (no AUTH either)",
           ("stuck", "starttls-not-offered", "hello"))
def starttls_missing(lab):
    exim(lab, port=587, auth="")
    lab.record()
    curl(lab, "--ssl-reqd", url="smtp://198.51.100.25:587")


@recording("hello/bad-name.pcap", "typed by hand -> Exim", "EHLO with a name that SMTP forbids", ("stuck", "hello-rejected-syntax", "hello"))
def bad_name(lab):
    exim(lab)
    lab.record()
    typed(lab, ["?", "EHLO my_pc!\r\n", "?", "QUIT\r\n", "?"])


@recording("hello/refused-by-policy.pcap", "swaks -> scripted server", "the server does not like the name of the client",
           ("stuck", "hello-rejected-policy", "hello"))
def policy(lab):
    odd(lab, {"EHLO": "550 5.7.1 Access denied, bad HELO", "HELO": "550 5.7.1 Access denied, bad HELO"})
    lab.record()
    swaks(lab, ehlo="localhost")
