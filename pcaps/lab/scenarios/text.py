"""What happens to the text of a message: real servers' words, providers' words, and endings that are none."""
import time

from clients import MESSAGE, PASSWORD, USER, curl, dma, exim as exim_client, lmtplib, msmtp, mutt, nc, nullmailer, postfix as relay, smtplib, snail, ssmtp, swaks
from clients import typed
from scenarios import recording
from scenarios.transfer import TO_TEXT
from server_dovecot import postfix_logins
from server_node import haraka, nodemailer, smtp_server
from server_sendmail import sendmail
from servers import aiosmtpd, exim, odd, opensmtpd, postfix

END = ["?", "QUIT\r\n", "?"]
HEADER = "From: Anna <anna@example.net>\r\nTo: bob@example.org\r\nSubject: Hello\r\n"


@recording("data/bare-lf-postfix.pcap", "typed by hand -> Postfix", "smtpd_forbid_bare_newline = reject", ("stuck", "data-bare-lf", "final"))
def bare_lf(lab):
    postfix(lab, {"smtpd_forbid_bare_newline": "reject"})
    lab.record()
    typed(lab, TO_TEXT + [HEADER + "\r\none\ntwo\r\n.\r\n"] + END)


@recording("data/bare-lf-accepted.pcap", "typed by hand -> Exim", "lone LFs in the text, the server takes them", ("delivered", "ok-delivered", "final"))
def bare_lf_accepted(lab):
    exim(lab)
    lab.record()
    typed(lab, TO_TEXT + [HEADER + "\r\none\ntwo\nthree\r\n.\r\n"] + END)


@recording("data/line-too-long-exim.pcap", "typed by hand -> Exim", "a line of 1200 octets (Debian's acl_check_data)", ("stuck", "data-line-too-long", "final"))
def long_exim(lab):
    exim(lab, data="  deny condition = ${if > {$max_received_linelength}{998}}\n    message = maximum allowed line length is 998 octets, got $max_received_linelength\n")
    lab.record()
    typed(lab, TO_TEXT + [HEADER + "\r\n" + "x" * 1200 + "\r\n.\r\n"] + END)


@recording("data/longest-line-exim.pcap", "typed by hand -> Exim", "a line of 998 octets, as long as the same rule allows", ("delivered", "ok-delivered", "final"))
def longest_exim(lab):
    exim(lab, data="  deny condition = ${if > {$max_received_linelength}{998}}\n    message = maximum allowed line length is 998 octets, got $max_received_linelength\n")
    lab.record()
    typed(lab, TO_TEXT + [HEADER + "\r\n" + "x" * 998 + "\r\n.\r\n"] + END)


@recording("data/line-too-long-aiosmtpd.pcap", "typed by hand -> aiosmtpd", "a line of 1200 octets", ("stuck", "data-line-too-long", "final"))
def long_aiosmtpd(lab):
    aiosmtpd(lab)
    lab.record()
    typed(lab, TO_TEXT[:2] + ["?", 0.3] + TO_TEXT[3:] + [HEADER + "\r\n" + "x" * 1200 + "\r\n.\r\n"] + END)


@recording("data/not-a-message-opensmtpd.pcap", "typed by hand -> OpenSMTPD", "a text without a header", ("stuck", "data-content-noncompliant", "final"))
def not_a_message(lab):
    opensmtpd(lab)
    lab.record()
    typed(lab, TO_TEXT + ["From anna\r\nfoo bar: baz\r\nFrom: a\r\nFrom: b\r\n\r\nHi\r\n.\r\n"] + END)


@recording("data/header-syntax-exim.pcap", "curl -> Exim", "require verify = header_syntax", ("stuck", "data-content-noncompliant", "final"))
def header_exim(lab):
    exim(lab, data="  require message = message header is not RFC 5322 compliant\n    verify = header_syntax\n")
    lab.record()
    curl(lab, message="From: <anna@@example.net\nTo: bob@example.org\nSubject: x\n\nHi\n")


@recording("data/mail-loop-postfix.pcap", "curl -> Postfix", "more Received lines than hopcount_limit", ("stuck", "data-mail-loop", "final"))
def loop_postfix(lab):
    postfix(lab, {"hopcount_limit": "5"})
    lab.record()
    curl(lab, message="Received: from a by b; Tue, 24 Nov 2026 10:00:00 +0000\n" * 8 + MESSAGE)


@recording("data/many-hops-postfix.pcap", "curl -> Postfix", "one Received line less than hopcount_limit refuses", ("delivered", "ok-delivered", "final"))
def hops_postfix(lab):
    postfix(lab, {"hopcount_limit": "5"})
    lab.record()
    curl(lab, message="Received: from a by b; Tue, 24 Nov 2026 10:00:00 +0000\n" * 3 + MESSAGE)


@recording("data/mail-loop-opensmtpd.pcap", "curl -> OpenSMTPD", "more than a hundred Received lines", ("stuck", "data-mail-loop", "final"))
def loop_opensmtpd(lab):
    opensmtpd(lab)
    lab.record()
    curl(lab, message="Received: from a by b; Tue, 24 Nov 2026 10:00:00 +0000\n" * 105 + MESSAGE)


@recording("data/too-large-exim.pcap", "typed by hand -> Exim", "the text is larger than message_size_limit, SIZE was not declared", ("stuck", "data-size-exceeded", "final"))
def large_exim(lab):
    exim(lab, main="message_size_limit = 2K")
    lab.record()
    typed(lab, TO_TEXT + [HEADER + "\r\n" + ("x" * 70 + "\r\n") * 40 + ".\r\n"] + END)


@recording("data/too-large-nodemailer.pcap", "nodemailer -> smtp-server", "the text is larger than the server takes", ("stuck", "data-size-exceeded", "final"))
def large_node(lab):
    smtp_server(lab, authOptional=True, size=2000, hideSize=True)
    lab.record()
    nodemailer(lab, mail={"text": "This text is repeated until it is too long. " * 100})


@recording("data/too-large-bdat-postfix.pcap", "nc -> Postfix", "BDAT over message_size_limit", ("stuck", "data-size-exceeded", "final"))
def large_bdat(lab):
    postfix(lab, {"message_size_limit": "1024"})
    lab.record()
    typed(lab, TO_TEXT[:7] + ["BDAT 2052 LAST\r\n" + HEADER[:48] + "\r\n\r\n" + "x" * 1998 + "\r\n"] + END)


@recording("data/virus-postfix.pcap", "curl -> Postfix", "a body check finds a virus", ("stuck", "data-virus-rejected", "final"))
def virus_postfix(lab):
    postfix(lab, {"body_checks": "regexp:{{/EICAR-STANDARD/ REJECT Virus Eicar-Test-Signature found}}"})
    lab.record()
    curl(lab, message=MESSAGE + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE\n")


@recording("data/content-rejected-postfix.pcap", "ssmtp -> Postfix", "a header check refuses the message with Postfix's default words", ("stuck", "data-spam-rejected", "final"))
def content_postfix(lab):
    postfix(lab, {"header_checks": "regexp:{{/^Subject: Hello/ REJECT}}"})
    lab.record()
    ssmtp(lab)


@recording("data/put-off-exim.pcap", "mutt -> Exim", "acl_smtp_data says defer", ("stuck", "data-temp-failure", "final"))
def put_off(lab):
    exim(lab, data="  defer\n")
    lab.record()
    mutt(lab)


@recording("data/refused-by-exim.pcap", "nullmailer -> Exim", "acl_smtp_predata says deny", ("stuck", "data-refused", "data"))
def refused_exim(lab):
    exim(lab, main="acl_smtp_predata = acl_predata", data="  accept\nacl_predata:\n  deny message = this server takes no text\n")
    lab.record()
    nullmailer(lab)


@recording("data/no-valid-recipients.pcap", "nc -> Postfix", "DATA without an accepted recipient", ("stuck", "data-no-valid-rcpt", "data", "", "there was no RCPT at all"))
def no_valid(lab):
    postfix(lab)
    lab.record()
    nc(lab, ["EHLO pc.example.net", "MAIL FROM:<anna@example.net>", "DATA", "QUIT"])


def words(name, done, cause, reply, login=False, client=swaks, origin="swaks"):
    @recording("data/%s.pcap" % name, origin + " -> scripted server", done, ("stuck", cause, "final"))
    def function(lab):
        odd(lab, {"DOT": reply, "EHLO": "250-mx.example.org\n250-8BITMIME\n250 AUTH PLAIN LOGIN"}, 587 if login else 25)
        lab.record()
        if login:
            swaks(lab, "--port", "587", "--auth", "PLAIN", "--auth-user", USER, "--auth-password", PASSWORD)
        else:
            client(lab)


words("eight-bit-refused", "Exchange's words for 8-bit text that the next server does not take", "data-8bit-unsupported", "554 5.6.1 Body type not supported by Remote Host")
words("own-mailbox-full", "Microsoft's words: the sender's own mailbox is full", "data-sender-quota",
      "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded; Failed to process message due to a permanent exception", login=True)
words("send-as-denied", "Microsoft's words: no right to send as this sender", "mail-sender-not-owned",
      "554 5.2.252 SendAsDenied; anna@example.org not allowed to send as anna@example.net; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied", login=True)
words("daily-quota-after-text", "Microsoft's words for a used-up day", "rcpt-daily-quota", "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message: submission quota exceeded", login=True)
words("mailbox-full-after-text", "the recipient's mailbox turns out to be full", "rcpt-mailbox-full", "552 5.2.2 <bob@example.org>: mailbox is full", client=nullmailer, origin="nullmailer")
words("rate-limited-after-text", "Gmail's words for unusual rates", "mail-rate-limited",
      "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail originating\n421-4.7.28 from your IP address. To protect our users from spam, mail sent from\n421-4.7.28 your IP address has been temporarily rate limited. x - gsmtp\n421 4.7.28 https://support.google.com/mail/?p=UnsolicitedRateLimitError", client=snail, origin="s-nail")
words("spam-gmail", "Gmail's words for spam", "data-spam-rejected",
      "550-5.7.1 [192.0.2.10] Our system has detected that this message is\n550-5.7.1 likely unsolicited mail. To reduce the amount of spam sent to Gmail,\n550-5.7.1 this message has been blocked. Please visit\n550 5.7.1 https://support.google.com/mail/?p=UnsolicitedMessageError x - gsmtp", client=ssmtp, origin="ssmtp")
words("dkim", "Gmail's words for a mail with neither SPF nor DKIM", "data-auth-policy",
      "550-5.7.26 Your email has been blocked because the sender is unauthenticated.\n550-5.7.26 Gmail requires all senders to authenticate with either SPF or DKIM.\n550 5.7.26 https://support.google.com/mail/answer/81126#authentication x - gsmtp", client=msmtp, origin="msmtp")
words("refused-in-german", "words that no table lists", "data-spam-rejected", "554 5.7.1 Ihre Nachricht wurde als Spam eingestuft und abgelehnt", client=curl, origin="curl")


@recording("data/reset-after-the-dot.pcap", "curl -> scripted server", "the whole text is sent, the server resets without a word", ("stuck", "data-closed-after-dot", "final"))
def reset(lab):
    odd(lab, {"DOT": "!sleep:1 !reset"})
    lab.record()
    curl(lab)


@recording("data/no-answer-to-the-dot-curl.pcap", "curl -> scripted server", "the whole text is sent, no answer, curl says QUIT after 9 s", ("stuck", "data-no-reply-after-dot", "final", "C:QUIT"))
def no_answer_curl(lab):
    odd(lab, {"DOT": "!hang"})
    lab.record()
    curl(lab, "--max-time", "9", timeout=11)


@recording("data/client-stalls-exim-loses-patience.pcap", "typed by hand -> Exim", "half a text, then nothing; Exim's data timeout of 32 s ends it",
           ("stuck", "data-client-stalled", "body", r"S:^421"))
def stalls(lab):
    exim(lab, main="smtp_receive_timeout = 32s")
    lab.record()
    typed(lab, TO_TEXT + [HEADER + "\r\nThe beginning\r\n", 33, "?", 0.3])


@recording("session/reset-by-server-in-text.pcap", "typed by hand -> scripted server", "RST in the midst of the text", ("stuck", "tcp-reset-by-server", "body"))
def reset_text(lab):
    odd(lab, {"TEXT": "!reset"})
    lab.record()
    typed(lab, TO_TEXT + [HEADER + "\r\n" + "A line of the text.\r\n" * 10, 0.5, "Another line.\r\n" * 5, 0.5])


@recording("session/closed-by-server-in-text.pcap", "typed by hand -> scripted server", "FIN in the midst of the text", ("stuck", "tcp-server-closed-early", "body"))
def closed_text(lab):
    odd(lab, {"TEXT": "!close"})
    lab.record()
    typed(lab, TO_TEXT + [HEADER + "\r\n" + "A line of the text.\r\n" * 10, 0.5])


@recording("session/421-in-text.pcap", "typed by hand -> scripted server", "421 in the midst of the text", ("stuck", "session-421-shutdown", "body", r"S:^421"))
def shutdown_text(lab):
    odd(lab, {"TEXT": "421 4.3.0 mx.example.org Server shutting down!close"})
    lab.record()
    typed(lab, TO_TEXT + [HEADER + "\r\n" + "A line of the text.\r\n" * 10, 0.5])


@recording("data/duplicate-after-a-lost-answer.pcap", "Python smtplib -> scripted server", "no answer to the dot, the client gives up after 6 s and sends the same message again",
           ("stuck", "data-no-reply-after-dot", "final"), ("delivered", "ok-delivered", "final"))
def duplicate(lab):
    odd(lab, [{"DOT": "!hang"}, {}])
    lab.record()
    smtplib(lab, """
text = 'Message-ID: <20261124.4711@example.net>\\r\\n' + MESSAGE
for seconds in (6, 20):
    try:
        s = smtplib.SMTP(SERVER, local_hostname='pc.example.net', timeout=seconds)
        s.sendmail('anna@example.net', ['bob@example.org'], text)
        s.quit()
    except OSError:
        time.sleep(2)
""")
