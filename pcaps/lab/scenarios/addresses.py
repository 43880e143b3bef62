"""What real servers say to MAIL and RCPT, and the providers' words that no configuration brings out."""
from clients import PASSWORD, USER, curl, dma, exim as exim_client, lmtplib, msmtp, mutt, nc, nullmailer, opensmtpd as opensmtpd_client, postfix as relay
from clients import smtplib, snail, ssmtp, swaks, typed
from scenarios import recording
from server_dovecot import dovecot, postfix_logins
from server_node import haraka, nodemailer, smtp_server
from server_sendmail import sendmail
from servers import POSTSCREEN, dns, exim, odd, opensmtpd, postfix, postgrey

from scenarios.greeting import LISTED

HELLO = ["?", "EHLO pc.example.net\r\n", "?"]
NAMES = {"example.net/A": ["192.0.2.10"], "example.net/MX": ["10 mx.example.net"], "mx.example.net/A": ["192.0.2.10"]}


@recording("mail/sender-domain-unknown-postfix.pcap", "msmtp -> Postfix", "reject_unknown_sender_domain; Postfix says it at RCPT", ("stuck", "mail-sender-domain", "rcpt"))
def domain_postfix(lab):
    dns(lab, NAMES)
    postfix(lab, {"smtpd_sender_restrictions": "reject_unknown_sender_domain"})
    lab.record()
    msmtp(lab, sender="anna@nope.example")


@recording("mail/sender-domain-unknown-sendmail.pcap", "curl -> sendmail", "sendmail finds no such domain", ("stuck", "mail-sender-domain", "mail"))
def domain_sendmail(lab):
    dns(lab, NAMES)
    sendmail(lab)
    lab.record()
    curl(lab, sender="anna@nope.example")


@recording("rcpt/sender-verify-failed-exim.pcap", "swaks -> Exim", "verify = sender: no route to the sender", ("stuck", "rcpt-sender-verify-failed", "rcpt"))
def verify_exim(lab):
    exim(lab, rcpt="  require verify = sender\n", auth="", routers="local:\n  driver = redirect\n  domains = example.org\n"
         "  data = :blackhole:\nnone:\n  driver = redirect\n  allow_fail\n  data = :fail: no such domain here\n")
    lab.record()
    swaks(lab, sender="anna@nope.example")


@recording("mail/sender-not-owned-postfix.pcap", "swaks -> Postfix with Dovecot", "a login as anna, mail from the boss", ("stuck", "mail-sender-not-owned", "rcpt"))
def not_owned(lab):
    postfix(lab, dict(postfix_logins(lab), smtpd_sender_restrictions="reject_sender_login_mismatch",
                      smtpd_sender_login_maps="inline:{boss@example.org=boss@example.org, anna@example.org=anna@example.org}"), 587)
    lab.record()
    swaks(lab, "--port", "587", "--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD, sender="boss@example.org")


@recording("mail/utf8-without-smtputf8-postfix.pcap", "nc -> Postfix", "an address with an umlaut, not declared", ("stuck", "smtp-utf8-unsupported", "mail"))
def utf8(lab):
    postfix(lab, {"strict_smtputf8": "yes"})
    lab.record()
    nc(lab, ["EHLO pc.example.net", "MAIL FROM:<jörg@example.net>", "QUIT"])


@recording("mail/unknown-option-postfix.pcap", "nc -> Postfix", "a MAIL parameter that the server does not know", ("stuck", "mail-param-unsupported", "mail"))
def option(lab):
    postfix(lab)
    lab.record()
    nc(lab, ["EHLO pc.example.net", "MAIL FROM:<anna@example.net> MT-PRIORITY=3", "QUIT"])


@recording("mail/unknown-option-aiosmtpd.pcap", "nc -> aiosmtpd", "a MAIL parameter that the server does not know", ("stuck", "mail-param-unsupported", "mail"))
def option_aiosmtpd(lab):
    from servers import aiosmtpd
    aiosmtpd(lab)
    lab.record()
    nc(lab, ["EHLO pc.example.net", "MAIL FROM:<anna@example.net> RET=HDRS", "QUIT"])


@recording("mail/too-large-announced-exim.pcap", "Python smtplib -> Exim", "SIZE in MAIL is over the limit", ("stuck", "mail-size-announced", "mail"))
def size_exim(lab):
    exim(lab, main="message_size_limit = 2K")
    lab.record()
    smtplib(lab, """
try:
    smtplib.SMTP(SERVER, local_hostname='pc.example.net').sendmail('anna@example.net', ['bob@example.org'], MESSAGE + 'x' * 70 + '\\r\\n' + ('y' * 70 + '\\r\\n') * 100)
except smtplib.SMTPException:
    pass
""")


@recording("mail/too-large-announced-exim-by-exim.pcap", "Exim -> Exim", "SIZE in MAIL is over the limit; the sending server bounces", ("stuck", "mail-size-announced", "mail"), ("stuck", "mail-size-announced", "mail"))
def size_exim_exim(lab):
    exim(lab, main="message_size_limit = 1K")
    lab.record()
    exim_client(lab)


@recording("mail/disk-full-postfix.pcap", "nullmailer -> Postfix", "queue_minfree is larger than the disk", ("stuck", "mail-storage", "mail"))
def disk(lab):
    postfix(lab, {"queue_minfree": "1000000000000", "message_size_limit": "0"})
    lab.record()
    nullmailer(lab)


@recording("mail/helo-first-postfix.pcap", "nc -> Postfix", "MAIL without EHLO (smtpd_helo_required)", ("stuck", "smtp-bad-sequence", "mail"))
def helo_first(lab):
    postfix(lab, {"smtpd_helo_required": "yes"})
    lab.record()
    nc(lab, ["MAIL FROM:<anna@example.net>", "QUIT"])


@recording("rcpt/before-mail-haraka.pcap", "nc -> Haraka", "RCPT without MAIL", ("stuck", "smtp-bad-sequence", "rcpt"))
def rcpt_first(lab):
    haraka(lab)
    lab.record()
    nc(lab, ["EHLO pc.example.net", "RCPT TO:<bob@example.org>", "QUIT"])


@recording("rcpt/lookup-failure-postfix.pcap", "swaks -> Postfix", "the table of recipients cannot be read", ("stuck", "mail-server-error", "rcpt"))
def lookup(lab):
    postfix(lab, {"virtual_mailbox_maps": "hash:/nonexistent/users"})
    lab.record()
    swaks(lab)


@recording("rcpt/configuration-error-postfix.pcap", "s-nail -> Postfix", "a restriction that does not exist", ("stuck", "mail-server-error", "rcpt"))
def configuration(lab):
    postfix(lab, {"smtpd_recipient_restrictions": "reject_unauth_destination, no_such_restriction"})
    lab.record()
    snail(lab)


@recording("rcpt/unknown-user-exim.pcap", "mutt -> Exim", "the recipient does not exist", ("stuck", "rcpt-unknown-user", "rcpt"))
def unknown_exim(lab):
    exim(lab, rcpt="  deny message = unknown user\n    ! local_parts = bob\n    domains = +local_domains\n")
    lab.record()
    mutt(lab, "nobody@example.org")


@recording("rcpt/relay-denied-sendmail.pcap", "dma -> sendmail", "the server is not for that domain; nor does it take the bounce", *[("stuck", "rcpt-relay-denied", "rcpt")] * 2)
def relay_sendmail(lab):
    dns(lab, NAMES)
    sendmail(lab)
    lab.record()
    dma(lab, "bob@example.com")


@recording("rcpt/relay-denied-haraka.pcap", "nodemailer -> Haraka", "the server is not for that domain", ("stuck", "rcpt-unknown-user", "rcpt", "", "550 without a word of relaying: what the code says by default"))
def relay_haraka(lab):
    haraka(lab)
    lab.record()
    nodemailer(lab, mail={"to": "bob@example.com"})


@recording("rcpt/relay-denied-opensmtpd.pcap", "s-nail -> OpenSMTPD", "the server is not for that domain", ("stuck", "rcpt-unknown-user", "rcpt", "", "Invalid recipient, without a word of relaying"))
def relay_opensmtpd(lab):
    opensmtpd(lab)
    lab.record()
    snail(lab, to="bob@example.com")


@recording("rcpt/domain-not-found-postfix.pcap", "swaks -> Postfix", "reject_unknown_recipient_domain", ("stuck", "rcpt-domain-not-found", "rcpt"))
def domain_rcpt(lab):
    dns(lab, NAMES)
    postfix(lab, {"mynetworks": "192.0.2.0/24", "smtpd_relay_restrictions": "permit_mynetworks, reject_unauth_destination",
                  "smtpd_recipient_restrictions": "reject_unknown_recipient_domain, permit_mynetworks"})
    lab.record()
    swaks(lab, to="bob@nope.example")


@recording("rcpt/blocklist-postfix.pcap", "curl -> Postfix", "reject_rbl_client: the client's address is listed", ("stuck", "rcpt-dnsbl", "rcpt"))
def blocklist(lab):
    dns(lab, LISTED)
    postfix(lab, {"smtpd_client_restrictions": "reject_rbl_client zen.spamhaus.org"})
    lab.record()
    curl(lab)


@recording("rcpt/blocklist-exim.pcap", "OpenSMTPD -> Exim", "dnslists: the client's address is listed; a relay sends", ("stuck", "rcpt-dnsbl", "rcpt"))
def blocklist_exim(lab):
    dns(lab, LISTED)
    exim(lab, rcpt="  deny message = $sender_host_address is listed at $dnslist_domain; see $dnslist_text\n    dnslists = zen.spamhaus.org\n")
    lab.record()
    opensmtpd_client(lab)


@recording("rcpt/greylisted-postgrey.pcap", "Postfix -> Postfix with postgrey", "greylisted; the relay tries again and is accepted",
           ("stuck", "rcpt-greylisted", "rcpt"), ("delivered", "ok-delivered", "final"))
def greylisted(lab):
    postfix(lab, postgrey(lab, 3))
    lab.record()
    relay(lab, wait=22, queue_run_delay="6s", minimal_backoff_time="6s", maximal_backoff_time="8s")


@recording("rcpt/greylisted-postscreen.pcap", "msmtp -> Postfix postscreen", "deep protocol tests: the first session is always put off", ("stuck", "rcpt-greylisted", "rcpt"))
def greylisted_postscreen(lab):
    postfix(lab, {"postscreen_greet_wait": "1s", "postscreen_bare_newline_enable": "yes", "postscreen_bare_newline_action": "enforce"}, master=POSTSCREEN)
    lab.record()
    msmtp(lab)


@recording("rcpt/never-accepted.pcap", "swaks -> scripted server", "three tries, greylisted each time", *[("stuck", "rcpt-greylisted", "rcpt")] * 3)
def never(lab):
    odd(lab, {"RCPT": "451 4.7.1 Greylisting in action, please come back later"})
    lab.record()
    import time
    for _ in range(3):
        swaks(lab)
        time.sleep(2)


@recording("rcpt/access-denied-postfix.pcap", "mutt -> Postfix", "check_recipient_access: REJECT", ("stuck", "rcpt-policy-denied", "rcpt"))
def denied(lab):
    postfix(lab, {"smtpd_recipient_restrictions": "check_recipient_access inline:{bob@example.org=REJECT}, reject_unauth_destination"})
    lab.record()
    mutt(lab)


@recording("rcpt/client-rejected-postfix.pcap", "dma -> Postfix", "check_client_access: REJECT; the bounce is refused, too", *[("stuck", "rcpt-policy-denied", "rcpt")] * 2)
def client_rejected(lab):
    postfix(lab, {"smtpd_client_restrictions": "check_client_access inline:{192.0.2.10=REJECT}"})
    lab.record()
    dma(lab)


@recording("rcpt/no-reverse-name-postfix.pcap", "swaks -> Postfix", "reject_unknown_reverse_client_hostname", ("stuck", "rcpt-no-ptr", "rcpt"))
def no_ptr(lab):
    dns(lab, NAMES)
    postfix(lab, {"smtpd_peername_lookup": "yes", "smtpd_client_restrictions": "reject_unknown_reverse_client_hostname"})
    lab.record()
    swaks(lab)


@recording("rcpt/mailbox-full-dovecot-lmtp.pcap", "Python smtplib -> Dovecot", "LMTP: the mailbox is over quota, said after the text", ("stuck", "rcpt-mailbox-full", "final"))
def quota(lab):
    dovecot(lab, "lmtp", 24, check="allow_all_users=yes quota_rule=*:bytes=10", more="mail_plugins = quota\nplugin {\n  quota = maildir:User quota\n  quota_grace = 0\n}\n")
    lab.record()
    lmtplib(lab, ["bob@example.org"])


@recording("rcpt/pipelining-postfix.pcap", "typed by hand -> Postfix", "commands without waiting, though HELO allows none (reject_unauth_pipelining)", ("stuck", "rcpt-pipelining", "data"))
def pipelining(lab):
    postfix(lab, {"smtpd_data_restrictions": "reject_unauth_pipelining"})
    lab.record()
    typed(lab, ["?", "HELO pc.example.net\r\n", "?", "MAIL FROM:<anna@example.net>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\nSubject: x\r\n\r\nHi\r\n.\r\nQUIT\r\n", "?", 0.5])


@recording("rcpt/pipelining-exim.pcap", "typed by hand -> Exim", "commands without waiting behind HELO (smtp_enforce_sync)", ("stuck", "rcpt-pipelining", "rcpt"))
def pipelining_exim(lab):
    exim(lab)
    lab.record()
    typed(lab, ["?", "HELO pc.example.net\r\n", "?", "MAIL FROM:<anna@example.net>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n", "?", "?", 0.3])


@recording("rcpt/bad-syntax-exim.pcap", "nc -> Exim", "the recipient's address has no domain", ("stuck", "rcpt-syntax", "rcpt"))
def syntax_exim(lab):
    exim(lab)
    lab.record()
    nc(lab, ["EHLO pc.example.net", "MAIL FROM:<anna@example.net>", "RCPT TO:<bob@>", "QUIT"])


@recording("rcpt/two-refused-for-different-reasons.pcap", "Postfix -> scripted server", "an unknown and a greylisted recipient; DATA was pipelined",
           ("stuck", "rcpt-unknown-user", "rcpt", r"S:550 5.1.1"))
def two_reasons(lab):
    odd(lab, {"RCPT": ["550 5.1.1 <bob@example.org>: no such user here", "451 4.7.1 <zoe@example.org>: Greylisted, try again later"]})
    lab.record()
    relay(lab, to=("bob@example.org", "zoe@example.org"), soft_bounce="yes")


@recording("rcpt/recipients-left-for-later-postfix.pcap", "Postfix -> Postfix", "smtpd_recipient_limit = 2: the third recipient is sent later",
           ("partial", "ok-delivered-partial", "final"), ("delivered", "ok-delivered", "final"))
def later(lab):
    postfix(lab, {"smtpd_recipient_limit": "2"})
    lab.record()
    relay(lab, to=("bob@example.org", "carol@example.org", "dave@example.org"), wait=14, queue_run_delay="5s", minimal_backoff_time="5s")


@recording("outcome/sent-by-nodemailer.pcap", "nodemailer -> smtp-server", "two recipients, both taken", ("delivered", "quit-problem", "quit"))
def node(lab):
    smtp_server(lab, authOptional=True)
    lab.record()
    nodemailer(lab, mail={"to": "bob@example.org, carol@example.org"})


def words(name, done, cause, stage, verb, reply, client=swaks, origin="swaks", login=False, times=1):
    """A provider's words in answer to a command."""
    @recording("%s.pcap" % name, origin + " -> scripted server", done, *[("stuck", cause, stage)] * times)
    def function(lab):
        script = {verb: reply}
        if login:
            odd(lab, dict(script, EHLO="250-mx.example.org\n250 AUTH PLAIN LOGIN"), 587)
            lab.record()
            swaks(lab, "--port", "587", "--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD)
        else:
            odd(lab, script)
            lab.record()
            client(lab)


words("mail/account-blocked", "Microsoft's words for a blocked sender", "mail-sender-blocked", "mail", "MAIL", "550 5.1.8 Access denied, bad outbound sender. For more information please go to http://go.microsoft.com/fwlink/?LinkId=875724", login=True)
words("mail/network-reputation", "Outlook.com's words for a network it does not like", "mail-ip-reputation", "mail", "MAIL",
      "550 5.7.1 Service unavailable, the sending IP address [192.0.2.10] has a poor reputation. Please contact your Internet service provider", msmtp, "msmtp")
words("mail/throttled", "Amazon's words for too many mails a second", "mail-rate-limited", "mail", "MAIL", "454 Throttling failure: Maximum sending rate exceeded.", nodemailer, "nodemailer")
words("rcpt/pop-before-smtp", "a server that wants the mail fetched first", "mail-pop-before-smtp", "rcpt", "RCPT", "553 5.7.1 Please check your mail first (POP before SMTP) or use SMTP authentication")
words("rcpt/inactive-account", "Gmail's words for a disabled account", "rcpt-disabled", "rcpt", "RCPT", "550-5.2.1 The email account that you tried to reach is disabled. For more\n550 5.2.1 information, go to https://support.google.com/mail/?p=DisabledUser x - gsmtp", curl, "curl")
words("rcpt/receives-too-much", "Gmail's words for a mailbox that gets too much", "rcpt-recipient-throttled", "rcpt", "RCPT", "450-4.2.1 The user you are trying to contact is receiving mail too quickly.\n450-4.2.1 Please resend your message at a later time.\n450 4.2.1 https://support.google.com/mail/?p=ReceivingRate x - gsmtp", ssmtp, "ssmtp")
words("rcpt/daily-quota", "Gmail's words for a used-up day", "rcpt-daily-quota", "rcpt", "RCPT", "550-5.4.5 Daily user sending limit exceeded. For more information on Gmail\n550 5.4.5 sending limits go to https://support.google.com/a/answer/166852 x - gsmtp", login=True)
words("rcpt/spf", "the receiver's SPF check fails", "rcpt-spf-fail", "rcpt", "RCPT", "550 5.7.23 <bob@example.org>: Recipient address rejected: Message rejected due to: SPF fail - not authorized. Please see http://www.openspf.net/Why", mutt, "mutt")
words("rcpt/too-many-at-once", "the first recipient is one too many", "rcpt-too-many", "rcpt", "RCPT", "452 4.5.3 Too many recipients")
words("rcpt/access-denied-365", "Microsoft's words for an address that does not exist", "rcpt-unknown-user", "rcpt", "RCPT", "550 5.4.1 Recipient address rejected: Access denied. [AM0EUR01FT001.eop-EUR01.prod.protection.outlook.com]", nullmailer, "nullmailer")
words("rcpt/relay-denied-exchange", "Exchange's words for a foreign domain", "rcpt-relay-denied", "rcpt", "RCPT", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", dma, "dma", times=2)
words("rcpt/login-wanted", "a server that wants a login and says it at RCPT", "auth-required-not-attempted", "rcpt", "RCPT", "550 5.7.1 Authentication required to send mail through this server", snail, "s-nail")
words("rcpt/sender-blacklisted", "blacklisted is said of the sender's address", "mail-sender-blocked", "rcpt", "RCPT", "550 5.7.1 Sender address anna@example.net is blacklisted")
