"""Connections that end before their time, silences, sequences, and what belongs to no message."""
import threading
import time

from clients import MESSAGE, curl, exim as exim_client, msmtp, nc, nullmailer, openssl, postfix as relay, smtplib, swaks, typed
from scenarios import recording
from scenarios.transfer import TO_TEXT
from server_node import haraka, nodemailer
from servers import certificate, dns, exim, odd, opensmtpd, postfix

HELLO = ["?", "EHLO pc.example.net\r\n", "?"]
END = ["?", "QUIT\r\n", "?"]


@recording("session/too-many-errors-postfix.pcap", "nc -> Postfix", "commands that do not exist, until smtpd_hard_error_limit",
           ("stuck", "session-too-many-errors", "hello", r"S:^5 + S:421 4.7.0", "no MAIL was tried"))
def errors(lab):
    postfix(lab, {"smtpd_hard_error_limit": "4", "smtpd_error_sleep_time": "0"})
    lab.record()
    nc(lab, ["EHLO pc.example.net", "LETTER anna@example.net", "LETTER", "PLEASE", "SIR", "GOODBYE"])


@recording("session/one-message-per-connection-exim.pcap", "Python smtplib -> Exim", "smtp_accept_max_per_connection = 1: the second mail is refused",
           ("partial", "session-message-limit", "mail", r"S:^250 OK id + S:^421"))
def limit(lab):
    exim(lab, main="smtp_accept_max_per_connection = 1")
    lab.record()
    smtplib(lab, """
s = smtplib.SMTP(SERVER, local_hostname='pc.example.net')
try:
    for i in range(2):
        s.sendmail('anna@example.net', ['bob@example.org'], MESSAGE)
except smtplib.SMTPException:
    pass
""")


@recording("session/bad-sequence-opensmtpd.pcap", "nc -> OpenSMTPD", "RCPT before MAIL", ("stuck", "smtp-bad-sequence", "rcpt"))
def sequence(lab):
    opensmtpd(lab)
    lab.record()
    nc(lab, ["EHLO pc.example.net", "RCPT TO:<bob@example.org>", "QUIT"])


@recording("session/nested-mail.pcap", "typed by hand -> Postfix", "a second MAIL is refused as nested; the first mail goes through",
           ("delivered", "ok-delivered", "final"))
def nested(lab):
    postfix(lab)
    lab.record()
    typed(lab, HELLO + ["MAIL FROM:<anna@example.net>\r\n", "?", "MAIL FROM:<anna@example.net>\r\n", "?", "RCPT TO:<bob@example.org>\r\n", "?", "DATA\r\n", "?",
                        MESSAGE.replace("\n", "\r\n") + ".\r\n"] + END)


@recording("session/idle-at-greeting-exim.pcap", "typed by hand -> Exim", "the client says nothing, Exim's timeout of 7 s ends it", ("stuck", "server-idle-timeout", "", "S:^421"))
def idle_exim(lab):
    exim(lab, main="smtp_receive_timeout = 7s")
    lab.record()
    typed(lab, ["?", "?", 0.5])


@recording("session/idle-closed-without-a-word.pcap", "typed by hand -> scripted server", "the client says nothing after MAIL, the server closes without a word after 62 s",
           ("stuck", "server-idle-timeout", "mail", "S:END"))
def idle_silent(lab):
    lab.spawn(lab.server, ["python3", "-c", """
import socket
l = socket.create_server(('0.0.0.0', 25)); c, _ = l.accept(); c.settimeout(62)
c.sendall(b'220 mx.example.org ESMTP\\r\\n'); c.recv(999); c.sendall(b'250-mx.example.org\\r\\n250 8BITMIME\\r\\n')
c.recv(999); c.sendall(b'250 Ok\\r\\n')
try:
    c.recv(999)
except TimeoutError:
    pass
c.close()
"""])
    lab.wait_port(25)
    lab.record()
    typed(lab, HELLO + ["MAIL FROM:<anna@example.net>\r\n", "?", 63, 0.5])


@recording("session/killed-exim.pcap", "typed by hand -> Exim", "the server process is told to end in mid session", ("stuck", "session-421-shutdown", "rcpt", "S:^421"))
def killed(lab):
    exim(lab)
    lab.record()
    thread = threading.Thread(target=typed, args=(lab, HELLO + ["MAIL FROM:<anna@example.net>\r\n", "?", "RCPT TO:<bob@example.org>\r\n", "?", "?", 0.3]))
    thread.start()
    time.sleep(2)
    lab.end_server_children()
    thread.join()


@recording("session/peer-vanished-in-text.pcap", "Python smtplib -> Postfix, nftables", "in the midst of the text nothing gets through any more, until the recording ends",
           ("stuck", "tcp-peer-vanished", "body", "LAST"))
def vanished(lab):
    postfix(lab)
    lab.record()
    program = TO_TEXT + ["Subject: x\r\n\r\n" + "A line of the text.\r\n" * 20, 3, "More of the text.\r\n" * 100, 9]
    thread = threading.Thread(target=typed, args=(lab, program))
    thread.start()
    time.sleep(2)
    lab.drop("tcp dport 25")
    time.sleep(9)
    lab.stop()
    thread.join()


@recording("session/state-lost-on-the-way.pcap", "typed by hand -> Postfix, nftables", "65 s of silence, then a firewall has forgotten the connection and resets it",
           ("stuck", "tcp-idle-state-lost", "rcpt", "C:^RCPT + S:END"))
def state_lost(lab):
    postfix(lab)
    lab.record()
    thread = threading.Thread(target=typed, args=(lab, HELLO + ["MAIL FROM:<anna@example.net>\r\n", "?", 65, "RCPT TO:<bob@example.org>\r\n", 2]))
    thread.start()
    time.sleep(20)
    lab.on_server("nft add table ip f")
    lab.on_server("nft add chain ip f i '{ type filter hook input priority 0; }'")
    lab.on_server("nft add rule ip f i tcp dport 25 reject with tcp reset")
    thread.join()


@recording("session/reply-timeout-ehlo.pcap", "typed by hand -> scripted server", "no answer to EHLO, the client resets after 8 s", ("stuck", "smtp-reply-timeout", "hello"))
def timeout_ehlo(lab):
    odd(lab, {"EHLO": "!hang"})
    lab.record()
    typed(lab, ["?", "EHLO pc.example.net\r\n", 8], close="rst")


@recording("session/reply-timeout-quit.pcap", "swaks -> scripted server", "no answer to RCPT, the client says QUIT after 6 s", ("stuck", "smtp-reply-timeout", "rcpt", "C:QUIT"))
def timeout_quit(lab):
    odd(lab, {"RCPT": "!hang"})
    lab.record()
    swaks(lab, timeout=6)


@recording("session/reply-timeout-data.pcap", "Python smtplib -> scripted server", "no answer to DATA, the client gives up after 6 s", ("stuck", "smtp-reply-timeout", "data"))
def timeout_data(lab):
    odd(lab, {"DATA": "!hang"})
    lab.record()
    smtplib(lab, """
try:
    smtplib.SMTP(SERVER, timeout=6, local_hostname='pc.example.net').sendmail('anna@example.net', ['bob@example.org'], MESSAGE)
except OSError:
    pass
""")


@recording("session/closed-by-client-after-mail.pcap", "typed by hand -> OpenSMTPD", "MAIL is accepted, the client closes without QUIT", ("stuck", "tcp-client-closed-early", "mail"))
def closed_client(lab):
    opensmtpd(lab)
    lab.record()
    typed(lab, HELLO + ["MAIL FROM:<anna@example.net>\r\n", "?", 0.3])


@recording("session/reset-after-delivery.pcap", "typed by hand -> Postfix", "the mail is accepted, the client resets without QUIT", ("delivered", "quit-problem", "quit"))
def reset_after(lab):
    postfix(lab)
    lab.record()
    typed(lab, TO_TEXT + [MESSAGE.replace("\n", "\r\n") + ".\r\n", "?", 0.2], close="rst")


@recording("session/one-of-two-messages.pcap", "Python smtplib -> Postfix", "the first mail is accepted, the recipient of the second does not exist",
           ("partial", "rcpt-unknown-user", "rcpt", r"S:^250 2.0.0 + S:^550"))
def one_of_two(lab):
    postfix(lab)
    lab.record()
    smtplib(lab, """
s = smtplib.SMTP(SERVER, local_hostname='pc.example.net')
for to in ('bob@example.org', 'nobody@example.org'):
    try:
        s.sendmail('anna@example.net', [to], MESSAGE)
    except smtplib.SMTPException:
        pass
s.quit()
""")


@recording("session/gave-up-after-ehlo-with-everything.pcap", "swaks, nc -> Postfix", "a mail is sent; later the client looks at the EHLO words, which offer all it needs, and leaves",
           ("delivered", "ok-delivered", "final"), ("stuck", "client-gave-up-after-ehlo", "hello", r"S:STARTTLS + C:^QUIT"))
def gave_up(lab):
    postfix(lab, certificate(lab))
    lab.record()
    swaks(lab)
    nc(lab, ["EHLO pc.example.net", "QUIT"])


@recording("session/size-offered-is-tiny.pcap", "nc -> Postfix", "EHLO says SIZE 20000, the client leaves", ("stuck", "mail-size-announced", "hello", r"S:SIZE + C:^QUIT"))
def tiny(lab):
    postfix(lab, dict(certificate(lab), message_size_limit="20000"))
    lab.record()
    nc(lab, ["EHLO pc.example.net", "QUIT"])


@recording("outcome/probe-ehlo-quit.pcap", "nc -> Postfix", "EHLO, QUIT on port 25 of a server that offers STARTTLS", ("no-mail", "ok-no-attempt", "hello"))
def probe_ehlo(lab):
    postfix(lab, certificate(lab))
    lab.record()
    nc(lab, ["EHLO monitor.example.net", "QUIT"])


@recording("outcome/probe-noop-rset.pcap", "nc -> Haraka", "HELO, NOOP, RSET, QUIT", ("no-mail", "ok-no-attempt", "hello"))
def probe_noop(lab):
    haraka(lab)
    lab.record()
    nc(lab, ["HELO monitor.example.net", "NOOP", "RSET", "QUIT"])


@recording("outcome/health-check-reset.pcap", "typed by hand -> scripted server", "a load balancer's check: connect, reset", ("no-mail", "ok-no-attempt", "connect"))
def health(lab):
    odd(lab, {"greeting": "!sleep:2 220 mx.example.org ESMTP"})
    lab.record()
    typed(lab, [0.05], close="rst")


@recording("outcome/vrfy.pcap", "nc -> Postfix", "VRFY of two addresses, QUIT", ("no-mail", "ok-vrfy-only", "hello", "C:^VRFY"))
def vrfy(lab):
    postfix(lab)
    lab.record()
    nc(lab, ["EHLO pc.example.net", "VRFY bob@example.org", "VRFY carol@example.org", "QUIT"])


@recording("outcome/web-client-on-port-25.pcap", "curl -> Postfix", "a web client asks the mail server for a page", ("no-mail", "ok-no-attempt", "", "C:^GET"))
def web(lab):
    postfix(lab)
    lab.record()
    lab.run(["curl", "-sS", "--http0.9", "--max-time", "5", "http://198.51.100.25:25/"])


@recording("outcome/callout-exim.pcap", "Exim -> Postfix", "sender verification by callout: MAIL FROM:<>, RCPT, QUIT", ("no-mail", "ok-vrfy-only", "rcpt", "C:QUIT"))
def callout(lab):
    postfix(lab)
    lab.record()
    exim_client(lab, verify="bob@example.org")


@recording("outcome/abandoned-then-sent.pcap", "typed by hand -> Exim", "a transaction is abandoned with RSET, the next is sent", ("delivered", "ok-delivered", "final"))
def abandoned(lab):
    exim(lab)
    lab.record()
    typed(lab, TO_TEXT[:7] + ["RSET\r\n", "?", "MAIL FROM:<anna@example.net>\r\n", "?", "RCPT TO:<carol@example.org>\r\n", "?", "DATA\r\n", "?",
                              MESSAGE.replace("\n", "\r\n") + ".\r\n"] + END)


@recording("unknown/stopped-in-text.pcap", "typed by hand -> Postfix", "the recording ends in the midst of the text", ("unknown", "unk-in-progress", "body"))
def stopped(lab):
    postfix(lab)
    lab.record()
    thread = threading.Thread(target=typed, args=(lab, TO_TEXT + ["Subject: x\r\n\r\nA beginning\r\n", 5]))
    thread.start()
    time.sleep(2)
    lab.stop()
    thread.join()


@recording("unknown/waiting-after-dot.pcap", "Python smtplib -> scripted server", "the recording ends while the client waits for the answer to the dot", ("unknown", "unk-in-progress", "final"))
def waiting(lab):
    odd(lab, {"DOT": "!hang"})
    lab.record()
    thread = threading.Thread(target=typed, args=(lab, TO_TEXT + [MESSAGE.replace("\n", "\r\n") + ".\r\n", 12]))
    thread.start()
    time.sleep(8)
    lab.stop()
    thread.join()


@recording("unknown/server-side-only-refused.pcap", "swaks -> Postfix", "only packets from the server are recorded; they say that the recipient is refused", ("stuck", "rcpt-unknown-user", "rcpt"))
def server_side(lab):
    postfix(lab)
    lab.record("src host 198.51.100.25")
    swaks(lab, to="nobody@example.org")


@recording("unknown/starts-in-text.pcap", "typed by hand -> Postfix", "the recording starts in the midst of the text and ends before the dot", ("unknown", "unk-incomplete", ""))
def starts_in_text(lab):
    postfix(lab)
    thread = threading.Thread(target=typed, args=(lab, TO_TEXT + ["Subject: x\r\n\r\n", 3, "In the middle\r\n" * 20, 1, "and more\r\n" * 20, 4]))
    thread.start()
    time.sleep(2)
    lab.record()
    time.sleep(3)
    lab.stop()
    thread.join()


@recording("unknown/cut-to-96-octets.pcap", "curl -> Postfix", "recorded with -s 96: the replies' codes are all there", ("delivered", "ok-delivered", "final"))
def cut(lab):
    postfix(lab)
    lab.record(snaplen=96)
    curl(lab)


@recording("connect/three-mx.pcap", "Postfix -> nothing, scripted server, Exim", "the first MX refuses the connection, the second is busy, the third takes the mail; the look-ups are in the recording",
           ("stuck", "tcp-refused", "connect"), ("stuck", "greet-421-busy", "greeting"), ("delivered", "ok-delivered", "final"))
def three_mx(lab):
    dns(lab, {"example.org/MX": ["10 mx1.example.org", "20 mx2.example.org", "30 mx3.example.org"], "mx1.example.org/A": ["203.0.113.1"],
              "mx2.example.org/A": ["203.0.113.2"], "mx3.example.org/A": ["203.0.113.3"]}, address="198.51.100.53")
    lab.resolver(lab.client, "198.51.100.53")
    lab.on_server("nft add table ip f")
    lab.on_server("nft add chain ip f i '{ type filter hook input priority 0; }'")
    lab.on_server("nft add rule ip f i ip daddr 203.0.113.1 tcp dport 25 reject with tcp reset")
    odd(lab, {"greeting": "421 4.3.2 mx2.example.org All server ports are busy!close"}, 2525)
    lab.on_server("nft add table ip n")
    lab.on_server("nft add chain ip n p '{ type nat hook prerouting priority -100; }'")
    lab.on_server("nft add rule ip n p ip daddr 203.0.113.2 tcp dport 25 redirect to :2525")
    exim(lab)
    lab.record()
    relay(lab, relayhost="", disable_dns_lookups="no", smtp_host_lookup="dns", inet_protocols="ipv4", wait=16)
