from clients import curl, exim as exim_client, msmtp, nullmailer, postfix as relay, smtplib, snail, swaks, typed
from scenarios import recording
from servers import aiosmtpd, exim, odd, opensmtpd, postfix


@recording("outcome/sent-postfix.pcap", "swaks -> Postfix", "one mail", ("delivered", "ok-delivered", "final"))
def sent_postfix(lab):
    postfix(lab)
    lab.record()
    swaks(lab)


@recording("outcome/sent-exim-by-nullmailer.pcap", "nullmailer -> Exim", "one mail", ("delivered", "ok-delivered", "final"))
def sent_exim(lab):
    exim(lab)
    lab.record()
    nullmailer(lab)


@recording("outcome/sent-opensmtpd-by-exim.pcap", "Exim -> OpenSMTPD", "one mail from server to server", ("delivered", "ok-delivered", "final"))
def sent_opensmtpd(lab):
    opensmtpd(lab)
    lab.record()
    exim_client(lab)


@recording("outcome/sent-aiosmtpd-other-port.pcap", "Python smtplib -> aiosmtpd", "two mails on port 8025, which is no mail port",
           ("delivered", "ok-delivered", "final"))
def other_port(lab):
    aiosmtpd(lab, 8025)
    lab.record()
    smtplib(lab, """
s = smtplib.SMTP(SERVER, 8025, local_hostname='pc.example.net')
for i in range(2):
    s.sendmail('anna@example.net', ['bob@example.org'], MESSAGE)
s.quit()
""")


@recording("outcome/sent-ipv6-2525.pcap", "swaks -> Postfix", "one mail over IPv6 to port 2525", ("delivered", "ok-delivered", "final"))
def ipv6(lab):
    postfix(lab, port=2525)
    lab.record()
    swaks(lab, "-6", "--port", "2525", server="2001:db8:1::25")


@recording("outcome/sent-pipelined-by-postfix.pcap", "Postfix -> Postfix", "a relay sends one mail to three recipients, pipelined",
           ("delivered", "ok-delivered", "final"))
def pipelined(lab):
    postfix(lab)
    lab.record()
    relay(lab, to=("bob@example.org", "carol@example.org", "dave@example.org"))


@recording("outcome/sent-bdat.pcap", "typed by hand -> Postfix", "BDAT in two chunks", ("delivered", "ok-delivered", "final"))
def bdat(lab):
    postfix(lab)
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "MAIL FROM:<anna@example.net>\r\n", "?", "RCPT TO:<bob@example.org>\r\n", "?",
                "BDAT 16\r\nSubject: Hello\r\n", "?", "BDAT 10 LAST\r\n\r\nHi Bob\r\n", "?", "QUIT\r\n", "?"])


@recording("outcome/sent-with-losses.pcap", "curl -> Postfix", "every fifth packet is lost on the way", ("delivered", "ok-delivered", "final"))
def losses(lab):
    postfix(lab)
    lab.on_server("nft add table ip f")
    lab.on_server("nft add chain ip f i '{ type filter hook input priority 0; }'")
    lab.on_server("nft add rule ip f i tcp dport 25 numgen inc mod 5 4 drop")
    lab.record()
    curl(lab, message="Subject: long\n\n" + "This is a line of a longer message, for there must be something to lose.\n" * 150)


@recording("outcome/sent-any-interface.pcap", "s-nail -> Postfix", "recorded on the interface 'any' (Linux cooked)",
           ("delivered", "ok-delivered", "final"))
def any_interface(lab):
    postfix(lab)
    lab.record("tcp", interface="any")
    snail(lab)


@recording("outcome/sent-nanoseconds.pcap", "msmtp -> Exim", "recorded with nanosecond time stamps", ("delivered", "ok-delivered", "final"))
def nanoseconds(lab):
    exim(lab)
    lab.record(nano=True)
    msmtp(lab)


@recording("outcome/sent-lmtp.pcap", "typed by hand -> scripted LMTP server", "LMTP: one of two recipients has a full mailbox",
           ("partial", "ok-delivered-partial", "final"))
def lmtp(lab):
    odd(lab, {"greeting": "220 mx.example.org LMTP ready", "DOT": "250 2.1.5 <bob@example.org> delivered\n552 5.2.2 <carol@example.org> over quota"}, 24)
    lab.record()
    typed(lab, ["?", "LHLO pc.example.net\r\n", "?", "MAIL FROM:<anna@example.net>\r\n", "?", "RCPT TO:<bob@example.org>\r\n", "?",
                "RCPT TO:<carol@example.org>\r\n", "?", "DATA\r\n", "?", "Subject: x\r\n\r\nHi\r\n.\r\n", "?", 0.3, "QUIT\r\n", "?"], port=24)


@recording("outcome/partly-delivered.pcap", "Postfix -> Postfix", "one of two recipients does not exist; the relay's bounce is refused",
           ("partial", "ok-delivered-partial", "final"), ("stuck", "rcpt-relay-denied", "rcpt"))
def partly(lab):
    postfix(lab)
    lab.record()
    relay(lab, to=("bob@example.org", "nobody@example.org"))


@recording("outcome/address-check.pcap", "typed by hand -> Postfix", "MAIL and RCPT, then QUIT: somebody checks an address",
           ("no-mail", "ok-vrfy-only", "rcpt"))
def address_check(lab):
    postfix(lab)
    lab.record()
    typed(lab, ["?", "EHLO mx.example.net\r\n", "?", "MAIL FROM:<>\r\n", "?", "RCPT TO:<bob@example.org>\r\n", "?", "QUIT\r\n", "?"])


@recording("rcpt/unknown-user.pcap", "swaks -> Postfix", "the recipient does not exist", ("stuck", "rcpt-unknown-user", "rcpt"))
def unknown_user(lab):
    postfix(lab)
    lab.record()
    swaks(lab, to="nobody@example.org")


@recording("rcpt/unknown-user-opensmtpd.pcap", "msmtp -> OpenSMTPD", "the recipient does not exist", ("stuck", "rcpt-unknown-user", "rcpt"))
def unknown_opensmtpd(lab):
    opensmtpd(lab)
    lab.record()
    msmtp(lab, to="nobody@example.org")


@recording("rcpt/relay-denied.pcap", "curl -> Postfix", "the server is not for that domain", ("stuck", "rcpt-relay-denied", "rcpt"))
def relay_denied(lab):
    postfix(lab)
    lab.record()
    curl(lab, to=("bob@example.com",))


@recording("rcpt/relay-denied-exim.pcap", "nullmailer -> Exim", "the server is not for that domain", ("stuck", "rcpt-relay-denied", "rcpt"))
def relay_denied_exim(lab):
    exim(lab)
    lab.record()
    nullmailer(lab, to="bob@example.com")


@recording("rcpt/bad-syntax.pcap", "typed by hand -> Postfix", "the recipient's address is no address", ("stuck", "rcpt-syntax", "rcpt"))
def bad_syntax(lab):
    postfix(lab)
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "MAIL FROM:<anna@example.net>\r\n", "?", "RCPT TO:<bob example.org>\r\n", "?", "QUIT\r\n", "?"])


@recording("rcpt/helo-refused-at-rcpt.pcap", "swaks -> Postfix", "Postfix objects to the HELO name when it sees RCPT",
           ("stuck", "hello-rejected-policy", "rcpt"))
def helo_at_rcpt(lab):
    postfix(lab, {"smtpd_helo_required": "yes", "smtpd_helo_restrictions": "reject_non_fqdn_helo_hostname"})
    lab.record()
    swaks(lab, ehlo="pc")


@recording("rcpt/greylisted-then-accepted.pcap", "swaks -> scripted server", "greylisted, tried again, accepted",
           ("stuck", "rcpt-greylisted", "rcpt"), ("delivered", "ok-delivered", "final"))
def greylisted(lab):
    odd(lab, [{"RCPT": "450 4.2.0 <bob@example.org>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.org.html"}, {}])
    lab.record()
    swaks(lab)
    import time
    time.sleep(3)
    swaks(lab)


@recording("rcpt/mailbox-full.pcap", "msmtp -> scripted server", "the recipient's mailbox is full", ("stuck", "rcpt-mailbox-full", "rcpt"))
def mailbox_full(lab):
    odd(lab, {"RCPT": "452-4.2.2 The email account that you tried to reach is over quota. Please direct\n452 4.2.2 the recipient to https://support.google.com/mail/?p=OverQuotaTemp"})
    lab.record()
    msmtp(lab)


@recording("rcpt/too-many.pcap", "curl -> Postfix", "more recipients than the server takes", ("stuck", "rcpt-partial", "rcpt"))
def too_many(lab):
    postfix(lab, {"smtpd_recipient_limit": "2"})
    lab.record()
    curl(lab, to=("bob@example.org", "carol@example.org", "dave@example.org"))


@recording("rcpt/one-bad-address-stops-all.pcap", "curl -> Postfix", "one of two recipients does not exist, the client gives up",
           ("stuck", "rcpt-partial", "rcpt"))
def one_bad(lab):
    postfix(lab)
    lab.record()
    curl(lab, to=("bob@example.org", "nobody@example.org"))


@recording("rcpt/policy.pcap", "swaks -> scripted server", "the recipient takes no mail from outside", ("stuck", "rcpt-policy-denied", "rcpt"))
def rcpt_policy(lab):
    odd(lab, {"RCPT": "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed because the sender was not authenticated when sending to this group"})
    lab.record()
    swaks(lab)


@recording("mail/sender-domain-unknown.pcap", "swaks -> scripted server", "the sender's domain does not exist", ("stuck", "mail-sender-domain", "mail"))
def sender_domain(lab):
    odd(lab, {"MAIL": "450 4.1.8 <anna@nope.invalid>: Sender address rejected: Domain not found"})
    lab.record()
    swaks(lab, sender="anna@nope.invalid")


@recording("mail/too-large-announced.pcap", "typed by hand -> Postfix", "SIZE in MAIL is over the limit", ("stuck", "mail-size-announced", "mail"))
def size_announced(lab):
    postfix(lab, {"message_size_limit": "1024"})
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "MAIL FROM:<anna@example.net> SIZE=50000\r\n", "?", "QUIT\r\n", "?"])


@recording("mail/bad-sender.pcap", "typed by hand -> Postfix", "the sender's address is no address", ("stuck", "mail-sender-syntax", "mail"))
def bad_sender(lab):
    postfix(lab)
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "MAIL FROM:<anna example.net>\r\n", "?", "QUIT\r\n", "?"])


@recording("mail/sender-of-somebody-else.pcap", "swaks -> scripted server", "the sender does not belong to the login", ("stuck", "mail-sender-not-owned", "mail"))
def not_owned(lab):
    odd(lab, {"MAIL": "553 5.7.1 <boss@example.net>: Sender address rejected: not owned by user anna@example.org"}, 587)
    lab.record()
    swaks(lab, "--port", "587", sender="boss@example.net")


@recording("mail/disk-full.pcap", "nullmailer -> scripted server", "the server has no space", ("stuck", "mail-storage", "mail"))
def disk_full(lab):
    odd(lab, {"MAIL": "452 4.3.1 Insufficient system storage"})
    lab.record()
    nullmailer(lab)


@recording("mail/too-much-mail.pcap", "swaks -> Postfix", "more mails than smtpd_client_message_rate_limit allows",
           ("delivered", "ok-delivered", "final"), ("stuck", "mail-rate-limited", "mail"))
def rate(lab):
    postfix(lab, {"smtpd_client_message_rate_limit": "1", "smtpd_client_event_limit_exceptions": ""})
    lab.record()
    swaks(lab)
    swaks(lab)
