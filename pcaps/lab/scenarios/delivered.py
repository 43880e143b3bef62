"""Mails that get through, in many dialects and ways of recording."""
from clients import MESSAGE, curl, dma, exim as exim_client, lmtplib, mutt, nullmailer, opensmtpd as opensmtpd_client, postfix as relay, smtplib, snail, ssmtp
from clients import swaks, typed
from scenarios import recording
from scenarios.transfer import TO_TEXT
from server_dovecot import dovecot
from server_node import haraka, nodemailer
from server_sendmail import sendmail
from servers import dns, exim, odd, opensmtpd, postfix

OK = ("delivered", "ok-delivered", "final")
TEXT = MESSAGE.replace("\n", "\r\n") + ".\r\n"


@recording("outcome/sent-haraka-by-mutt.pcap", "mutt -> Haraka", "one mail", OK)
def to_haraka(lab):
    haraka(lab)
    lab.record()
    mutt(lab)


@recording("outcome/sent-sendmail-by-dma.pcap", "dma -> sendmail", "one mail", OK)
def to_sendmail(lab):
    dns(lab, {"example.net/A": ["192.0.2.10"], "example.org/A": ["198.51.100.25"], "mx.example.org/A": ["198.51.100.25"]})
    sendmail(lab, more="FEATURE(`accept_unresolvable_domains')dnl\nLOCAL_USER(`bob')dnl")
    lab.record()
    dma(lab, "root@example.org")


@recording("outcome/sent-by-ssmtp.pcap", "ssmtp -> OpenSMTPD", "one mail", OK)
def by_ssmtp(lab):
    opensmtpd(lab)
    lab.record()
    ssmtp(lab)


@recording("outcome/sent-exim-by-opensmtpd.pcap", "OpenSMTPD -> Exim", "one mail from server to server", OK)
def by_opensmtpd(lab):
    exim(lab)
    lab.record()
    opensmtpd_client(lab)


@recording("outcome/sent-bdat-pipelined-by-exim.pcap", "Exim -> Postfix", "MAIL, RCPT and BDAT LAST in one packet, as Exim sends to servers with CHUNKING",
           OK + ("", "the client's FIN comes with its QUIT, before the replies: it reads on, so this is no late reply"))
def by_exim(lab):
    postfix(lab)
    lab.record()
    exim_client(lab)


@recording("outcome/sent-smtputf8.pcap", "Python smtplib -> Postfix", "SMTPUTF8 and 8BITMIME, umlauts in both addresses", OK)
def smtputf8(lab):
    postfix(lab, {"virtual_mailbox_maps": "static:all"})
    lab.record()
    smtplib(lab, """
s = smtplib.SMTP(SERVER, local_hostname='pc.example.net')
s.sendmail('jörg@example.net', ['andré@example.org'], 'Subject: Grüße\\r\\n\\r\\nSchöne Grüße\\r\\n'.encode(), mail_options=['SMTPUTF8', 'BODY=8BITMIME'])
s.quit()
""")


@recording("outcome/sent-8bitmime-exim.pcap", "Python smtplib -> Exim", "8-bit text", OK)
def eightbit(lab):
    exim(lab)
    lab.record()
    smtplib(lab, """
s = smtplib.SMTP(SERVER, local_hostname='pc.example.net')
s.sendmail('anna@example.net', ['bob@example.org'], 'Subject: x\\r\\nContent-Type: text/plain; charset=utf-8\\r\\nContent-Transfer-Encoding: 8bit\\r\\n\\r\\nÄÖÜ\\r\\n'.encode(), mail_options=['BODY=8BITMIME'])
s.quit()
""")


@recording("outcome/sent-with-dsn.pcap", "typed by hand -> Postfix", "RET, ENVID and NOTIFY", OK)
def dsn(lab):
    postfix(lab)
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "MAIL FROM:<anna@example.net> RET=HDRS ENVID=QQ314159\r\n", "?",
                "RCPT TO:<bob@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob@example.org\r\n", "?", "DATA\r\n", "?", TEXT, "?", "QUIT\r\n", "?"])


@recording("outcome/sent-lmtp-dovecot.pcap", "Python smtplib -> Dovecot", "LMTP to two recipients: a reply each", OK)
def lmtp(lab):
    dovecot(lab, "lmtp", 24)
    lab.record()
    lmtplib(lab, ["bob@example.org", "carol@example.org"])


@recording("outcome/sent-lmtp-by-postfix.pcap", "Postfix -> Dovecot", "LMTP between servers, on port 2003", OK)
def lmtp_postfix(lab):
    dovecot(lab, "lmtp", 2003)
    lab.record()
    relay(lab, default_transport="lmtp:inet:198.51.100.25:2003", relayhost="")


@recording("outcome/sent-three-mails-one-connection.pcap", "Python smtplib -> OpenSMTPD", "three mails in one connection", OK)
def three(lab):
    opensmtpd(lab)
    lab.record()
    smtplib(lab, """
s = smtplib.SMTP(SERVER, local_hostname='pc.example.net')
for i in range(3):
    s.sendmail('anna@example.net', ['bob@example.org'], 'Message-ID: <%d@example.net>\\r\\n' % i + MESSAGE)
s.quit()
""")


@recording("outcome/sent-dots.pcap", "Python smtplib -> Postfix", "lines that begin with dots are doubled", OK)
def dots(lab):
    postfix(lab)
    lab.record()
    smtplib(lab, """
s = smtplib.SMTP(SERVER, local_hostname='pc.example.net')
s.sendmail('anna@example.net', ['bob@example.org'], 'Subject: dots\\r\\n\\r\\n.\\r\\n..\\r\\n.hidden\\r\\nQUIT\\r\\n')
s.quit()
""")


@recording("outcome/sent-byte-by-byte.pcap", "typed by hand -> Exim", "commands arrive in pieces", OK)
def pieces(lab):
    exim(lab)
    lab.record()
    steps = []
    for step in TO_TEXT + [TEXT, "?", "QUIT\r\n", "?"]:
        steps += [step] if step == "?" else [piece for at in range(0, len(step), 7) for piece in (step[at:at + 7], 0.05)]
    typed(lab, steps)


@recording("outcome/sent-pcapng.pcapng", "nullmailer -> OpenSMTPD", "recorded by dumpcap as pcapng", OK)
def pcapng(lab):
    opensmtpd(lab)
    lab.record("tcp")
    nullmailer(lab)


@recording("outcome/refused-pcapng.pcapng", "s-nail -> Exim", "recorded by dumpcap as pcapng", ("stuck", "rcpt-relay-denied", "rcpt"))
def pcapng_refused(lab):
    exim(lab)
    lab.record("tcp")
    snail(lab, to="bob@example.com")


@recording("outcome/sent-with-offload.pcap", "curl -> Postfix", "recorded with segmentation offload: segments larger than a packet", OK)
def offload(lab):
    postfix(lab)
    lab.offload()
    lab.record()
    curl(lab, message="Subject: long\n\n" + "This is a line of a longer message, and there are many of them.\n" * 250)


@recording("outcome/sent-nanoseconds-ipv6.pcap", "typed by hand -> scripted server", "IPv6, nanosecond time stamps, port 2525", OK)
def nano6(lab):
    odd(lab, {}, 2525)
    lab.record("tcp", nano=True)
    typed(lab, TO_TEXT + [TEXT, "?", "QUIT\r\n", "?"], port=2525, server="2001:db8:1::25")


@recording("outcome/sent-other-port-haraka.pcap", "swaks -> Haraka", "one mail on port 10025, which is no mail port", OK)
def other_port(lab):
    haraka(lab, 10025)
    lab.record()
    swaks(lab, "--port", "10025")


@recording("outcome/sent-behind-proxy.pcap", "typed by hand -> Postfix", "a PROXY v1 line before the greeting (smtpd_upstream_proxy_protocol)", OK)
def proxy(lab):
    postfix(lab, {"smtpd_upstream_proxy_protocol": "haproxy"})
    lab.record()
    typed(lab, ["PROXY TCP4 203.0.113.77 198.51.100.25 51234 25\r\n"] + TO_TEXT + [TEXT, "?", "QUIT\r\n", "?"])


@recording("outcome/sent-xclient.pcap", "typed by hand -> Postfix", "XCLIENT names the real client", OK)
def xclient(lab):
    postfix(lab, {"smtpd_authorized_xclient_hosts": "192.0.2.10"})
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "XCLIENT NAME=far.example.com ADDR=203.0.113.77\r\n", "?"] + TO_TEXT[1:] + [TEXT, "?", "QUIT\r\n", "?"])


@recording("outcome/two-of-three-recipients.pcap", "Python smtplib -> Exim", "one of three recipients does not exist, the mail is sent to the others", ("partial", "ok-delivered-partial", "final"))
def two_of_three(lab):
    exim(lab, rcpt="  deny message = unknown user\n    ! local_parts = bob : carol\n    domains = +local_domains\n")
    lab.record()
    smtplib(lab, """
s = smtplib.SMTP(SERVER, local_hostname='pc.example.net')
s.sendmail('anna@example.net', ['bob@example.org', 'nobody@example.org', 'carol@example.org'], MESSAGE)
s.quit()
""")


@recording("outcome/sent-attachment-by-nodemailer.pcap", "nodemailer -> Postfix", "pipelined by nodemailer, with an attachment in base64",
           ("delivered", "quit-problem", "quit"))
def attachment(lab):
    postfix(lab)
    lab.record()
    nodemailer(lab, mail={"attachments": [{"filename": "a.txt", "content": "An attachment of some length. " * 40}]})
