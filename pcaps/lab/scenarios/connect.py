from clients import smtplib, swaks, typed
from scenarios import recording
from servers import odd, postfix


def client_timeout(lab, seconds, **more):
    smtplib(lab, """
try:
    smtplib.SMTP(SERVER, %d, timeout=%d).sendmail('anna@example.net', ['bob@example.org'], MESSAGE)
except OSError:
    pass
""" % (more.get("port", 25), seconds))


@recording("connect/refused.pcap", "swaks -> nothing", "no server listens on port 25", ("stuck", "tcp-refused", "connect"))
def refused(lab):
    lab.record()
    swaks(lab)


@recording("connect/syn-dropped.pcap", "Python smtplib -> nftables", "a firewall drops everything to port 587",
           ("stuck", "tcp-syn-timeout", "connect"))
def dropped(lab):
    lab.on_server("nft add table ip f")
    lab.on_server("nft add chain ip f i '{ type filter hook input priority 0; }'")
    lab.on_server("nft add rule ip f i tcp dport 587 drop")
    lab.record()
    client_timeout(lab, 8, port=587)


@recording("connect/port25-blocked.pcap", "swaks, Python smtplib -> Postfix behind nftables",
           "port 25 is dropped on the way, 587 of the same server answers",
           ("delivered", "ok-delivered", "final"), ("stuck", "tcp-port25-blocked", "connect"))
def blocked(lab):
    postfix(lab, port=587)
    lab.on_server("nft add table ip f")
    lab.on_server("nft add chain ip f i '{ type filter hook input priority 0; }'")
    lab.on_server("nft add rule ip f i tcp dport 25 drop")
    lab.record()
    swaks(lab, "--port", "587")
    client_timeout(lab, 8)


@recording("connect/rejected-by-firewall.pcap", "swaks -> nftables reject", "a firewall rejects port 25 with ICMP admin-prohibited",
           ("stuck", "net-icmp-prohibited", "connect"))
def rejected(lab):
    lab.on_server("nft add table ip f")
    lab.on_server("nft add chain ip f i '{ type filter hook input priority 0; }'")
    lab.on_server("nft add rule ip f i tcp dport 25 reject with icmp type admin-prohibited")
    lab.record()
    swaks(lab)


@recording("greeting/no-banner.pcap", "Python smtplib -> scripted server", "the server accepts and says nothing, the client waits 7 s",
           ("stuck", "greet-no-banner", "greeting"))
def no_banner(lab):
    odd(lab, {"greeting": "!hang"})
    lab.record()
    client_timeout(lab, 7)


@recording("greeting/slow-banner-too-late.pcap", "typed by hand -> scripted server",
           "the greeting comes after 7 s, the client hangs up right behind it", ("stuck", "greet-slow-banner", "greeting"))
def slow_banner(lab):
    odd(lab, {"greeting": "!sleep:7 220 mx.example.org ESMTP"})
    lab.record()
    typed(lab, ["?", 0.3])


@recording("greeting/slow-banner-but-sent.pcap", "swaks -> scripted server", "the greeting comes after 6 s, the mail goes through",
           ("delivered", "ok-delivered", "final"))
def slow_but_sent(lab):
    odd(lab, {"greeting": "!sleep:6 220 mx.example.org ESMTP"})
    lab.record()
    swaks(lab, timeout=20)


@recording("greeting/busy-421.pcap", "swaks -> Postfix", "more connections of one client than smtpd_client_connection_count_limit allows",
           ("no-mail", "ok-no-attempt", "greeting"), ("stuck", "greet-421-busy", "greeting"))
def busy(lab):
    postfix(lab, {"smtpd_client_connection_count_limit": "1", "smtpd_client_event_limit_exceptions": ""})
    lab.record()
    smtplib(lab, """
first = socket.create_connection((SERVER, 25)); first.recv(1000)
second = socket.create_connection((SERVER, 25)); second.recv(1000); time.sleep(0.3); second.close()
first.sendall(b'QUIT\\r\\n'); first.recv(1000); first.close()
""")


@recording("greeting/rejected-554.pcap", "msmtp -> scripted server", "the server takes no mail at all",
           ("stuck", "greet-554-rejected", "greeting"))
def rejected_554(lab):
    from clients import msmtp
    odd(lab, {"greeting": "554 mx.example.org No SMTP service here"})
    lab.record()
    msmtp(lab)


@recording("greeting/blocklist.pcap", "curl -> scripted server", "the client's address is on a block list (Postfix's words)",
           ("stuck", "greet-dnsbl", "greeting"))
def blocklist(lab):
    from clients import curl
    odd(lab, {"greeting": "554 5.7.1 Service unavailable; Client host [192.0.2.10] blocked using zen.spamhaus.org; "
                          "https://www.spamhaus.org/query/ip/192.0.2.10"})
    lab.record()
    curl(lab)


@recording("greeting/closed-fin.pcap", "swaks -> scripted server", "the server closes before it greets",
           ("stuck", "greet-closed-no-banner", "greeting"))
def closed(lab):
    odd(lab, {"greeting": "!sleep:0.5 !close"})
    lab.record()
    swaks(lab)


@recording("greeting/closed-rst.pcap", "curl -> scripted server", "the server resets before it greets",
           ("stuck", "greet-closed-no-banner", "greeting"))
def closed_rst(lab):
    from clients import curl
    odd(lab, {"greeting": "!sleep:0.5 !reset"})
    lab.record()
    curl(lab)


@recording("greeting/web-server.pcap", "typed by hand -> Python http.server", "a web server on port 25",
           ("stuck", "greet-not-smtp", "greeting"))
def web_server(lab):
    lab.spawn(lab.server, ["/usr/bin/python3", "-m", "http.server", "25"])
    lab.wait_port(25)
    lab.record()
    typed(lab, ["EHLO pc.example.net\r\n\r\n", "?", 0.3])


@recording("greeting/pop-server.pcap", "swaks -> scripted server", "the outgoing server is a POP server",
           ("stuck", "greet-pop-imap-banner", "greeting"))
def pop_server(lab):
    odd(lab, {"greeting": "+OK Dovecot (Debian) ready.", "QUIT": "+OK Logging out", "EHLO": "-ERR Unknown command."})
    lab.record()
    swaks(lab)


@recording("outcome/probe-connect-close.pcap", "typed by hand -> Postfix", "connects, reads the greeting, closes",
           ("no-mail", "ok-no-attempt", "greeting"))
def probe(lab):
    postfix(lab)
    lab.record()
    typed(lab, ["?", 0.2])


@recording("outcome/probe-quit.pcap", "typed by hand -> Postfix", "a monitoring check: greeting, QUIT", ("no-mail", "ok-no-attempt", "greeting"))
def probe_quit(lab):
    postfix(lab)
    lab.record()
    typed(lab, ["?", "QUIT\r\n", "?"])


@recording("outcome/scan.pcap", "Python -> no server", "a scan of four mail ports, all closed",
           *[("no-mail", "ok-no-attempt", "connect", "S:END")] * 4)
def scan(lab):
    lab.record()
    smtplib(lab, """
for port in (25, 587, 465, 2525):
    try:
        socket.create_connection((SERVER, port), 2)
    except OSError:
        pass
""")


@recording("unknown/waiting-for-reply.pcap", "Python smtplib -> scripted server", "the recording ends while the client waits for MAIL",
           ("unknown", "unk-in-progress", "mail"))
def waiting(lab):
    odd(lab, {"MAIL": "!hang"})
    lab.record()
    lab.spawn(lab.client, ["/usr/bin/python3", "-c",
                           "import smtplib; smtplib.SMTP('198.51.100.25', 25, timeout=60).sendmail('a@example.net', ['bob@example.org'], 'x')"])
    lab.stop(settle=3)


@recording("unknown/client-side-only.pcap", "swaks -> Postfix", "only packets from the client are recorded",
           ("unknown", "unk-one-sided", "final"))
def one_sided(lab):
    postfix(lab)
    lab.record("src host 192.0.2.10")
    swaks(lab)


@recording("unknown/server-side-only.pcap", "swaks -> Postfix", "only packets from the server are recorded; they say that it was taken",
           ("delivered", "ok-delivered", "final"))
def server_side(lab):
    postfix(lab)
    lab.record("src host 198.51.100.25")
    swaks(lab)


@recording("unknown/starts-midstream.pcap", "Python smtplib -> Postfix", "the recording starts behind RCPT and ends with the final reply",
           ("delivered", "ok-delivered", "final"))
def midstream(lab):
    postfix(lab)
    program = """
s = smtplib.SMTP(SERVER, 25, local_hostname='pc.example.net')
s.ehlo(); s.mail('anna@example.net'); s.rcpt('bob@example.org')
time.sleep(3)
s.data(MESSAGE)
s.quit()
"""
    import threading
    thread = threading.Thread(target=smtplib, args=(lab, program))
    thread.start()
    import time
    time.sleep(1.5)
    lab.record()
    thread.join()
