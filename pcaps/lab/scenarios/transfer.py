import time

from clients import curl, smtplib, swaks, typed
from scenarios import recording
from servers import exim, odd, opensmtpd, postfix

TO_TEXT = ["?", "EHLO pc.example.net\r\n", "?", "MAIL FROM:<anna@example.net>\r\n", "?", "RCPT TO:<bob@example.org>\r\n", "?", "DATA\r\n", "?"]
LINES = "Subject: long\r\n\r\n" + "This is a line of a message that is never finished.\r\n" * 60


@recording("data/refused.pcap", "swaks -> scripted server", "DATA is refused for now", ("stuck", "data-refused", "data"))
def refused(lab):
    odd(lab, {"DATA": "451 4.7.1 please try later"})
    lab.record()
    swaks(lab)


@recording("data/refused-but-text-was-sent.pcap", "typed by hand -> Postfix", "DATA without recipients is refused, a second try is right",
           ("delivered", "ok-delivered", "final"))
def refused_then_right(lab):
    postfix(lab)
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "MAIL FROM:<anna@example.net>\r\n", "?", "DATA\r\n", "?", "RSET\r\n", "?"] + TO_TEXT[3:]
          + ["Subject: x\r\n\r\nHi\r\n.\r\n", "?", "QUIT\r\n", "?"])


@recording("data/too-large.pcap", "Python smtplib -> Postfix", "the text is larger than the server takes", ("stuck", "data-size-exceeded", "final"))
def too_large(lab):
    postfix(lab, {"message_size_limit": "2000"})
    lab.record()
    smtplib(lab, """
s = smtplib.SMTP(SERVER, 25, local_hostname='pc.example.net')
s.ehlo(); s.mail('anna@example.net'); s.rcpt('bob@example.org')
try:
    s.data('Subject: x\\r\\n\\r\\n' + 'a line of text that makes it longer\\r\\n' * 200)
except Exception:
    pass
s.quit()
""")


def verdict_on_text(name, done, cause, reply, client="swaks"):
    def function(lab):
        odd(lab, {"DOT": reply})
        lab.record()
        if client == "swaks":
            swaks(lab)
        else:
            curl(lab)
    recording("data/%s.pcap" % name, client + " -> scripted server", done, ("stuck", cause, "final"))(function)


verdict_on_text("spam", "the text is taken for spam", "data-spam-rejected", "550 5.7.1 Message rejected as spam by Content Filtering.")
verdict_on_text("virus", "the attachment looks dangerous", "data-virus-rejected",
                "552-5.7.0 This message was blocked because its content presents a potential\n552-5.7.0 security issue. Please visit\n552 5.7.0  https://support.google.com/mail/?p=BlockedMessage x - gsmtp", "curl")
verdict_on_text("dmarc", "the sender's domain is not authorised", "data-auth-policy",
                "550-5.7.26 Unauthenticated email from example.org is not accepted due to domain's\n550-5.7.26 DMARC policy. Please contact the administrator of example.org domain if\n550 5.7.26 this was a legitimate mail.")
verdict_on_text("malformed", "the header is broken", "data-content-noncompliant",
                "550-5.7.1 [192.0.2.10] Messages missing a valid address in From:\n550 5.7.1 header, or having no From: header, are not accepted. This message is not RFC 5322 compliant", "curl")
verdict_on_text("could-not-store", "the server cannot store the mail now", "data-temp-failure", "451 4.3.0 Error: queue file write error", "curl")
verdict_on_text("policy", "the text is refused for policy reasons", "data-policy-rejected", "554 5.7.9 Message not accepted for policy reasons. See https://senders.example.org/")


@recording("data/bare-lf.pcap", "typed by hand -> scripted server", "a lone LF in the text, the server refuses it", ("stuck", "data-bare-lf", "final"))
def bare_lf(lab):
    odd(lab, {"DOT": "550 5.5.2 mx.example.org Error: bare <LF> received"})
    lab.record()
    typed(lab, TO_TEXT + ["Subject: x\r\n\r\none\ntwo\r\n.\r\n", "?", "QUIT\r\n", "?"])


@recording("data/client-leaves-in-text.pcap", "typed by hand -> Postfix", "the client closes in the middle of the text",
           ("stuck", "data-no-final-dot", "body"))
def leaves(lab):
    postfix(lab)
    lab.record()
    typed(lab, TO_TEXT + [LINES, 0.5])


@recording("data/client-stalls.pcap", "typed by hand -> Exim", "go-ahead given, the client sends nothing for 35 s and leaves",
           ("stuck", "data-client-stalled", "body"))
def stalls(lab):
    exim(lab)
    lab.record()
    typed(lab, TO_TEXT + [35])


@recording("data/no-answer-to-the-dot.pcap", "Python smtplib -> scripted server", "the whole text is sent, no answer, the client gives up after 7 s",
           ("stuck", "data-no-reply-after-dot", "final"))
def no_answer(lab):
    odd(lab, {"DOT": "!hang"})
    lab.record()
    smtplib(lab, """
try:
    smtplib.SMTP(SERVER, 25, local_hostname='pc.example.net', timeout=7).sendmail('anna@example.net', ['bob@example.org'], MESSAGE)
except Exception:
    pass
""")


@recording("data/closed-after-the-dot.pcap", "swaks -> scripted server", "the whole text is sent, the server closes without a word",
           ("stuck", "data-closed-after-dot", "final"))
def closed(lab):
    odd(lab, {"DOT": "!sleep:1 !close"})
    lab.record()
    swaks(lab)


@recording("data/late-answer.pcap", "typed by hand -> scripted server", "the answer to the text comes after the client has closed",
           ("delivered", "data-late-reply", "final"))
def late(lab):
    odd(lab, {"DOT": "!sleep:7 250 2.0.0 Ok: queued as 4F1B2C"})
    lab.record()
    typed(lab, TO_TEXT + ["Subject: x\r\n\r\nHi\r\n.\r\n", 5.5], close="half")
    time.sleep(4)


@recording("session/reset-by-server.pcap", "swaks -> scripted server", "RST in place of the answer to RCPT", ("stuck", "tcp-reset-by-server", "rcpt"))
def reset(lab):
    odd(lab, {"RCPT": "!sleep:0.5 !reset"})
    lab.record()
    swaks(lab)


@recording("session/closed-by-server.pcap", "curl -> scripted server", "FIN in place of the answer to MAIL", ("stuck", "tcp-server-closed-early", "mail"))
def closed_early(lab):
    odd(lab, {"MAIL": "!sleep:0.5 !close"})
    lab.record()
    curl(lab)


@recording("session/reset-by-client.pcap", "typed by hand -> scripted server", "the client resets while it waits for RCPT",
           ("stuck", "tcp-reset-by-client", "rcpt"))
def reset_by_client(lab):
    odd(lab, {"RCPT": "!hang"})
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "MAIL FROM:<anna@example.net>\r\n", "?", "RCPT TO:<bob@example.org>\r\n", 1], close="rst")


@recording("session/closed-by-client.pcap", "typed by hand -> Postfix", "MAIL and RCPT are accepted, the client closes without QUIT",
           ("stuck", "tcp-client-closed-early", "rcpt"))
def closed_by_client(lab):
    postfix(lab)
    lab.record()
    typed(lab, TO_TEXT[:7] + [0.3])


@recording("session/peer-vanished.pcap", "typed by hand -> Postfix, nftables", "after EHLO nothing gets through any more",
           ("stuck", "tcp-peer-vanished", "mail"))
def vanished(lab):
    postfix(lab)
    lab.on_server("nft add table ip f")
    lab.on_server("nft add chain ip f i '{ type filter hook input priority 0; }'")
    lab.record()
    import threading
    thread = threading.Thread(target=typed, args=(lab, ["?", "EHLO pc.example.net\r\n", "?", 2, "MAIL FROM:<anna@example.net>\r\n", 9]))
    thread.start()
    time.sleep(1.5)
    lab.on_server("nft add rule ip f i tcp dport 25 drop")
    time.sleep(8)
    lab.stop()
    thread.join()


@recording("session/reply-timeout.pcap", "Python smtplib -> scripted server", "no answer to MAIL, the client gives up after 7 s",
           ("stuck", "smtp-reply-timeout", "mail"))
def reply_timeout(lab):
    odd(lab, {"MAIL": "!hang"})
    lab.record()
    smtplib(lab, """
try:
    smtplib.SMTP(SERVER, 25, local_hostname='pc.example.net', timeout=7).sendmail('anna@example.net', ['bob@example.org'], MESSAGE)
except Exception:
    pass
""")


@recording("session/idle-client.pcap", "typed by hand -> Postfix", "the client says nothing after MAIL, the server's timeout of 8 s ends it",
           ("stuck", "server-idle-timeout", "mail"))
def idle(lab):
    postfix(lab, {"smtpd_timeout": "8s"})
    lab.record()
    typed(lab, TO_TEXT[:5] + ["?", 0.5])


@recording("session/idle-after-delivery.pcap", "typed by hand -> Postfix", "a mail is accepted, then the client idles until the server closes",
           ("delivered", "ok-delivered", "final"))
def idle_delivered(lab):
    postfix(lab, {"smtpd_timeout": "6s"})
    lab.record()
    typed(lab, TO_TEXT + ["Subject: x\r\n\r\nHi\r\n.\r\n", "?", "?", 0.5])


@recording("session/shutdown-421.pcap", "swaks -> scripted server", "421 to RCPT", ("stuck", "session-421-shutdown", "rcpt"))
def shutdown(lab):
    odd(lab, {"RCPT": "421 4.3.2 mx.example.org Service shutting down and closing transmission channel!close"})
    lab.record()
    swaks(lab)


@recording("session/gave-up-after-ehlo.pcap", "swaks, typed by hand -> Postfix", "a refused mail, then a session that ends behind EHLO",
           ("stuck", "rcpt-unknown-user", "rcpt"), ("stuck", "starttls-not-offered", "hello"))
def gave_up(lab):
    postfix(lab)
    lab.record()
    swaks(lab, to="nobody@example.org")
    typed(lab, ["?", "EHLO pc.example.net\r\n", "?", "QUIT\r\n", "?"])
