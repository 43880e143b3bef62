"""What networks do to connections that had come about, or nearly: loss, holes, windows, outages, idle routers."""
import os
import threading
import time

from clients import MESSAGE, curl, smtplib, swaks, typed
from net import CLIENT, NAMES, SERVER
from scenarios import recording
from scenarios.transfer import TO_TEXT
from servers import POSTSCREEN, dnsmasq, exim, odd, postfix

TEXT = MESSAGE.replace("\n", "\r\n")
HELLO = ["?", "EHLO pc.example.net\r\n", "?"]
END = ["?", "QUIT\r\n", "?"]


def letter(octets):
    line = "A line of a mail that is long enough to fill some packets on its way.\r\n"
    return "Subject: long\r\n\r\n" + line * (octets // len(line))


def long_mail(octets):
    return TO_TEXT + [letter(octets) + ".\r\n"] + END


# --- before the connection ---

@recording("connect/third-try-answered.pcap", "swaks -> Postfix behind nftables numgen", "the first two SYNs are lost", ("delivered", "ok-delivered", "final"))
def third_try(lab):
    postfix(lab)
    lab.drop("tcp dport 25 tcp flags == syn numgen inc mod 3 != 2")
    lab.record()
    swaks(lab)


@recording("connect/acceptance-lost-once.pcap", "swaks -> Exim, nftables numgen at the client", "the first SYN/ACK is lost behind the recorder", ("delivered", "ok-delivered", "final"))
def acceptance_lost(lab):
    exim(lab)
    lab.drop("tcp sport 25 tcp flags == syn\\|ack numgen inc mod 2 == 0", where="client")
    lab.record()
    swaks(lab)


@recording("connect/other-address-was-faster.pcap", "curl -> scripted server behind nftables", "the IPv6 address is silent, the client turns to the IPv4 address after 0.2 s",
           ("no-mail", "tcp-attempt-superseded", "connect", "C:SYN@all"), ("delivered", "ok-delivered", "final"))
def superseded(lab):
    odd(lab, {"DOT": "!sleep:8 250 2.0.0 Ok: queued as 4F1B2C"})
    lab.on_server("nft add table ip6 f")
    lab.on_server("nft add chain ip6 f i '{ type filter hook input priority 0; }'")
    lab.on_server("nft add rule ip6 f i tcp dport 25 drop")
    lab.record()
    curl(lab, "--resolve", "mx.example.org:25:2001:db8:1::25,198.51.100.25", url="smtp://mx.example.org")


@recording("connect/both-addresses-silent.pcap", "curl -> nftables", "neither the IPv6 nor the IPv4 address answers, each is asked three times",
           *[("stuck", "tcp-syn-timeout", "connect")] * 2)
def both_silent(lab):
    lab.on_server("nft add table inet f")
    lab.on_server("nft add chain inet f i '{ type filter hook input priority 0; }'")
    lab.on_server("nft add rule inet f i tcp dport 587 drop")
    lab.record()
    curl(lab, "--connect-timeout", "8", "--resolve", "mx.example.org:587:2001:db8:1::25,198.51.100.25", url="smtp://mx.example.org:587")


@recording("connect/port-unreachable.pcap", "swaks -> nftables reject", "a firewall rejects port 587 with ICMP port-unreachable",
           ("stuck", "net-icmp-prohibited", "connect", "ICMP"))
def port_unreachable(lab):
    lab.on_server("nft add table ip f")
    lab.on_server("nft add chain ip f i '{ type filter hook input priority 0; }'")
    lab.on_server("nft add rule ip f i tcp dport 587 reject")
    lab.record()
    swaks(lab, "--port", "587")


@recording("connect/prohibited-ipv6.pcap", "Python smtplib -> nftables reject", "a firewall rejects port 587 with ICMPv6 admin-prohibited",
           ("stuck", "net-icmp-prohibited", "connect", "ICMP"))
def prohibited6(lab):
    lab.on_server("nft add table ip6 f")
    lab.on_server("nft add chain ip6 f i '{ type filter hook input priority 0; }'")
    lab.on_server("nft add rule ip6 f i tcp dport 587 reject with icmpv6 type admin-prohibited")
    lab.record()
    smtplib(lab, "try:\n    smtplib.SMTP('2001:db8:1::25', 587, timeout=6)\nexcept OSError:\n    pass\n")


@recording("route/host-behind-router-off.pcap", "Python smtplib -> router", "the server behind a router is switched off; the router says so",
           ("stuck", "net-icmp-unreachable", "connect", "ICMP"))
def host_off(lab):
    lab.router()
    lab.record("ip")
    smtplib(lab, "try:\n    smtplib.SMTP('198.51.100.99', 587, timeout=9)\nexcept OSError:\n    pass\n")


@recording("route/no-ipv6-beyond-router-sent-with-ipv4.pcap", "curl -> router, Postfix", "the router has no way to the IPv6 address; the mail goes to the IPv4 address",
           ("stuck", "net-icmp-unreachable", "connect", "ICMP"), ("delivered", "ok-delivered", "final"))
def no_ipv6(lab):
    postfix(lab)
    lab.router()
    lab.record()
    curl(lab, "--resolve", "mx.example.org:25:2001:db8:99::25,198.51.100.25", url="smtp://mx.example.org")


@recording("route/traceroute-to-mail-port.pcap", "traceroute -> router, Postfix", "a traceroute with SYNs to port 25: the router answers the first, the server the second",
           ("no-mail", "ok-no-attempt", "connect", "ICMP"), ("no-mail", "ok-no-attempt", "connect", "C:END"))
def traced(lab):
    postfix(lab)
    lab.router()
    lab.record()
    lab.run(["traceroute", "-n", "-T", "-p", "25", "-N", "1", "-q", "1", SERVER])


@recording("route/neighbour-wakes-up.pcap", "Python smtplib -> Postfix", "the server on the same network answers the third question for its address",
           ("delivered", "quit-problem", "quit"))
def wakes_up(lab):
    postfix(lab)
    dnsmasq(lab, "--host-record=smtp.example.org,192.0.2.77")
    lab.record()
    thread = threading.Thread(target=smtplib, args=(lab, """
smtplib.SMTP('smtp.example.org', local_hostname='pc.example.net').sendmail('anna@example.net', ['bob@example.org'], MESSAGE)
"""))
    thread.start()
    time.sleep(1.7)
    lab.on_server("ip addr add 192.0.2.77/32 dev s0")
    thread.join()


@recording("dns/first-resolver-broken.pcap", "msmtp -> Postfix, dnsmasq twice", "the first resolver refuses, the second knows", ("delivered", "ok-delivered", "final"))
def first_broken(lab):
    from clients import msmtp
    postfix(lab)
    dnsmasq(lab, "--host-record=smtp.example.org," + SERVER)
    lab.spawn(lab.server, ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
                           "--listen-address=203.0.113.1", "--bind-interfaces"])
    time.sleep(1)
    lab.resolver(lab.client, "203.0.113.1", NAMES)
    lab.record()
    msmtp(lab, "host smtp.example.org")


@recording("dns/first-resolver-off.pcap", "curl -> Postfix, dnsmasq", "nothing runs at the first resolver's address (ICMP), the second knows", ("delivered", "ok-delivered", "final"))
def first_off(lab):
    postfix(lab)
    dnsmasq(lab, "--host-record=smtp.example.org," + SERVER)
    lab.resolver(lab.client, "203.0.113.1", NAMES)
    lab.record()
    curl(lab, url="smtp://smtp.example.org")


@recording("dns/no-mx-but-an-address.pcap", "Postfix -> Exim, dnsmasq", "the domain has no MX record, its own address takes the mail", ("delivered", "ok-delivered", "final"))
def no_mx(lab):
    from clients import postfix as relay
    exim(lab)
    dnsmasq(lab, "--host-record=example.org," + SERVER, "--local=/example.org/")
    lab.record()
    relay(lab, relayhost="", disable_dns_lookups="no", smtp_dns_support_level="enabled", smtp_host_lookup="dns")


@recording("dns/private-address-of-a-server-inside.pcap", "swaks -> Postfix, dnsmasq", "the name leads to a private address, and a mail server is there", ("delivered", "ok-delivered", "final"))
def inside(lab):
    postfix(lab)
    lab.on_server("ip addr add 10.1.1.25/32 dev s0")
    dnsmasq(lab, "--host-record=smtp.example.org,10.1.1.25")
    lab.record()
    swaks(lab, server="smtp.example.org")


@recording("dns/sinkhole-private-address.pcap", "curl -> dnsmasq", "a filter answers with a private address, where nothing listens",
           ("stuck", "dns-sinkholed", "", "S:END"))
def sinkhole(lab):
    lab.on_server("ip addr add 10.10.34.35/32 dev s0")
    dnsmasq(lab, "--address=/smtp.example.org/10.10.34.35")
    lab.record()
    curl(lab, url="smtp://smtp.example.org:587")


# --- greeting ---

@recording("greeting/waits-for-early-talkers.pcap", "swaks -> Postfix postscreen", "postscreen_greet_wait of 6 s; the client is patient", ("delivered", "ok-delivered", "final"))
def postscreen(lab):
    postfix(lab, {"postscreen_greet_action": "enforce", "postscreen_greet_wait": "6s"}, master=POSTSCREEN)
    lab.record()
    swaks(lab, timeout=20)


@recording("greeting/proxy-line-first.pcap", "typed by hand -> Postfix", "a load balancer's PROXY line comes before the greeting, as agreed", ("delivered", "ok-delivered", "final"))
def proxy_line(lab):
    postfix(lab, {"smtpd_upstream_proxy_protocol": "haproxy"})
    lab.record()
    typed(lab, ["PROXY TCP4 203.0.113.77 198.51.100.25 40000 25\r\n"] + TO_TEXT + [TEXT + ".\r\n"] + END)


@recording("session/closed-after-the-greeting.pcap", "swaks -> scripted server", "the server greets, and closes in place of the answer to EHLO",
           ("stuck", "tcp-server-closed-early", "hello"))
def closed_after_greeting(lab):
    odd(lab, {"EHLO": "!sleep:0.5 !close"})
    lab.record()
    swaks(lab)


# --- the text ---

SINK = """
import socket, sys, time
pause, hold = float(sys.argv[1]), sys.argv[2] == 'hold'
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 3000)
l.bind(('0.0.0.0', 25)); l.listen()
c, _ = l.accept()
c.sendall(b'220 mx.example.org ESMTP\\r\\n')
for answer in (b'250-mx.example.org\\r\\n250 8BITMIME\\r\\n', b'250 2.1.0 Ok\\r\\n', b'250 2.1.5 Ok\\r\\n', b'354 Go ahead\\r\\n'):
    c.recv(999); c.sendall(answer)
time.sleep(pause)
text = b''
while not text.endswith(b'\\r\\n.\\r\\n') and not hold:
    data = c.recv(4096)
    if not data:
        break
    text += data
c.sendall(b'250 2.0.0 Ok: queued as 4F1B2C\\r\\n'); c.recv(999); c.sendall(b'221 Bye\\r\\n'); time.sleep(1)
"""


def sink(lab, pause, hold=""):
    lab.spawn(lab.server, ["/usr/bin/python3", "-c", SINK, str(pause), hold])
    lab.wait_port(25)


@recording("data/server-stops-reading.pcap", "typed by hand -> a server that does not read", "the server's window is 0 from the first packets of the text on; the client resets after 30 s",
           ("stuck", "tcp-zero-window", "body", "C:END"))
def stops_reading(lab):
    sink(lab, 90, "hold")
    lab.record()
    thread = threading.Thread(target=typed, args=(lab, TO_TEXT + [letter(9000), 30]), kwargs={"close": "rst"})
    thread.start()
    thread.join()


@recording("data/server-reads-slowly.pcap", "typed by hand -> a server that pauses", "the server's window is 0 for 4 s, then it goes on reading", ("delivered", "ok-delivered", "final"))
def reads_slowly(lab):
    sink(lab, 4)
    lab.record()
    typed(lab, long_mail(9000))


def icmp_silence(lab):
    """The router does not say that packets are too large for it."""
    lab.on_between("nft add table ip f")
    lab.on_between("nft add chain ip f o '{ type filter hook output priority 0; }'")
    lab.on_between("nft add rule ip f o icmp type destination-unreachable drop")


@recording("data/mtu-hole.pcap", "typed by hand -> router, Postfix", "the router's far side takes packets up to 1300 octets, and its ICMP is suppressed; the client resets after 20 s",
           ("stuck", "tcp-pmtu-blackhole", "body", "C:END"))
def mtu_hole(lab):
    postfix(lab)
    lab.router(mtu=1300)
    lab.on_server("ip link set s0 mtu 1500")
    icmp_silence(lab)
    lab.record()
    typed(lab, TO_TEXT + [letter(4800), 0.5, "Regards, Anna\r\n", 20], close="rst")


@recording("data/mtu-hole-until-recording-ends.pcap", "swaks -> router, Exim", "the same hole; the recording ends while the client goes on trying",
           ("stuck", "tcp-pmtu-blackhole", "body", "LAST"))
def mtu_hole_open(lab):
    exim(lab)
    lab.router(mtu=1300)
    icmp_silence(lab)
    lab.record()
    thread = threading.Thread(target=typed, args=(lab, long_mail(4800)))
    thread.start()
    time.sleep(16)
    lab.stop()
    thread.join()


@recording("data/mtu-told-by-router.pcap", "typed by hand -> router, Postfix", "the router says that packets are too large (ICMP), and the client sends smaller ones", ("delivered", "ok-delivered", "final"))
def mtu_told(lab):
    postfix(lab)
    lab.router(mtu=1300)
    lab.record()
    typed(lab, long_mail(4800))


@recording("data/lossy-until-client-gives-up.pcap", "typed by hand -> Postfix behind a lossy cable", "three of four packets of the text are lost; the client resets after 40 s in the midst of it",
           ("stuck", "tcp-lossy-slow", "body", "C:END"))
def lossy(lab):
    postfix(lab)
    lab.cable({"fault": "delay", "seconds": 0.3}, *[{"fault": "lose", "of": "C", "every": 2, "least": 300}] * 2)
    lab.record()
    typed(lab, TO_TEXT + [letter(60000), 40], close="rst")


def slow_line(lab):
    """The client's line takes 2000 octets a second and drops nothing; the first packets are few, so that none is sent twice."""
    postfix(lab)
    lab.on_client("ip route replace default dev c0 initcwnd 2")
    lab.on_client("sysctl -qw net.ipv4.tcp_wmem='4096 8192 8192'")
    lab.on_client("tc qdisc add dev c0 root tbf rate 16kbit burst 1600 limit 300000")
    lab.record()


@recording("data/slow-line-client-gives-up.pcap", "curl -> Postfix, over a slow line", "the line takes 2000 octets a second; curl's limit for the whole of it is 45 s",
           ("stuck", "data-upload-too-slow", "body", "C:END"))
def too_slow(lab):
    slow_line(lab)
    path = os.path.join(lab.folder, "letter")
    with open(path, "w", encoding="ascii") as file:  # of a file curl announces the size
        file.write(letter(300000))
    lab.run(["curl", "-sS", "--max-time", "45", "smtp://%s" % SERVER, "--mail-from", "anna@example.net", "--mail-rcpt", "bob@example.org",
             "-T", path, "--crlf"])
    time.sleep(35)  # what it had given to the system is still being sent


@recording("data/slow-line-but-sent.pcap", "curl -> Postfix, over a slow line", "the same line, and a mail that is through after 35 s", ("delivered", "ok-delivered", "final"))
def slow_but_sent(lab):
    slow_line(lab)
    curl(lab, message=letter(60000))


@recording("data/lossy-then-silent.pcap", "typed by hand -> Postfix behind a lossy cable", "every third packet of the text is lost and sent again, all of it arrives; then the client sends nothing for 37 s and resets",
           ("stuck", "data-client-stalled", "body", "C:END"))
def lossy_then_silent(lab):
    postfix(lab)
    lab.cable({"fault": "delay", "seconds": 0.15}, {"fault": "lose", "of": "C", "every": 3, "least": 300})
    lab.record()
    typed(lab, TO_TEXT + [letter(30000), 40], close="rst")


@recording("data/lossy-but-sent.pcap", "typed by hand -> Postfix behind a lossy cable", "every seventh packet of the text is lost, the mail is accepted", ("delivered", "ok-delivered", "final"))
def lossy_sent(lab):
    postfix(lab)
    lab.cable({"fault": "delay", "seconds": 0.02}, {"fault": "lose", "of": "C", "every": 7, "least": 300})
    lab.record()
    typed(lab, long_mail(30000))


@recording("data/packets-in-disorder.pcap", "typed by hand -> Exim behind a cable", "packets of both sides are swapped and doubled on the way, the mail is accepted", ("delivered", "ok-delivered", "final"))
def disorder(lab):
    exim(lab)
    lab.cable({"fault": "delay", "seconds": 0.01}, {"fault": "swap", "every": 4}, {"fault": "double", "every": 3})
    lab.record(host=lab.server, interface="s0")
    typed(lab, long_mail(20000))


@recording("data/window-scale-lost.pcap", "Python -> Exim behind a cable", "a router sets the server's window scale to 0, recorded at the server; the client gives up after 25 s",
           ("stuck", "tcp-window-scaling-broken", "body", "C:END"))
def unscaled(lab):
    exim(lab, main="smtp_receive_timeout = 60s")
    lab.cable({"fault": "delay", "seconds": 0.2}, {"fault": "unscale"})
    lab.record(host=lab.server, interface="s0")
    typed(lab, TO_TEXT + [letter(90000), 25], close="rst")


@recording("data/no-window-scale-but-sent.pcap", "typed by hand -> Postfix behind a cable", "the same router; the mail is small", ("delivered", "ok-delivered", "final"))
def unscaled_sent(lab):
    postfix(lab)
    lab.cable({"fault": "delay", "seconds": 0.02}, {"fault": "unscale"})
    lab.record(host=lab.server, interface="s0")
    typed(lab, long_mail(3000))


# --- the session ---

@recording("session/goodbye-unanswered.pcap", "typed by hand -> scripted server", "the mail is accepted, QUIT is not answered, the client closes after 6 s",
           ("delivered", "quit-problem", "quit", "ACCEPTED + C:^QUIT + C:END"))
def goodbye(lab):
    odd(lab, {"QUIT": "!hang"})
    lab.record()
    typed(lab, TO_TEXT + [TEXT + ".\r\n", "?", "QUIT\r\n", 6])


@recording("session/cable-pulled-in-text.pcap", "typed by hand -> Postfix behind a cable", "the cable behind the switch is pulled in the midst of the text",
           ("stuck", "tcp-peer-vanished", "body", "LAST"))
def pulled(lab):
    postfix(lab)
    lab.cable({"fault": "unplug", "of": "C", "when": "^Unheard", "seconds": 60})
    lab.record()
    thread = threading.Thread(target=typed, args=(lab, TO_TEXT + [letter(3000), 1, "Unheard of\r\n", 0.5, "Unheard, too\r\n", 12]), kwargs={"close": "rst"})
    thread.start()
    thread.join()


@recording("session/cable-pulled-for-a-moment.pcap", "typed by hand -> Postfix behind a cable", "the cable is pulled and plugged again after 2 s", ("delivered", "ok-delivered", "final"))
def pulled_shortly(lab):
    postfix(lab)
    lab.cable({"fault": "unplug", "of": "C", "when": "^More", "seconds": 2})
    lab.record()
    typed(lab, TO_TEXT + [letter(3000), 1, "More of it\r\n.\r\n"] + END)


def forgetful_nat(lab, seconds):
    """A router that hides the client behind its own address and forgets connections that are silent for so long."""
    lab.router()
    lab.on_between("nft add table ip n")
    lab.on_between("nft add chain ip n p '{ type nat hook postrouting priority 100; }'")
    lab.on_between("nft add rule ip n p oifname b1 masquerade")
    lab.on_between("nft add chain ip n f '{ type filter hook forward priority 0; }'")
    lab.on_between("nft add rule ip n f ct state invalid drop")
    lab.on_between("sysctl -qw net.netfilter.nf_conntrack_tcp_timeout_established=%d net.netfilter.nf_conntrack_tcp_timeout_unacknowledged=%d"
                   " net.netfilter.nf_conntrack_tcp_loose=0" % (seconds, seconds))


@recording("session/nat-forgets.pcap", "typed by hand -> NAT, Postfix", "65 s of silence; the router has forgotten the connection after 30 s and drops what comes then",
           ("stuck", "tcp-idle-state-lost", "rcpt", "C:^RCPT + C:END"))
def nat_forgets(lab):
    postfix(lab)
    forgetful_nat(lab, 30)
    lab.record()
    typed(lab, HELLO + ["MAIL FROM:<anna@example.net>\r\n", "?", 65, "RCPT TO:<bob@example.org>\r\n", 12], close="rst")


@recording("session/nat-remembers.pcap", "typed by hand -> NAT, Postfix", "65 s of silence, the router remembers the connection", ("delivered", "ok-delivered", "final"))
def nat_remembers(lab):
    postfix(lab)
    forgetful_nat(lab, 300)
    lab.record()
    typed(lab, TO_TEXT[:5] + [65] + TO_TEXT[5:] + [TEXT + ".\r\n"] + END)


def ends(verb, stage, how, cause, name):
    @recording("session/%s.pcap" % name, "swaks -> scripted server", "the server %s in place of the answer to %s" % ("resets" if how == "reset" else "closes", verb),
               ("stuck", cause, stage))
    def function(lab):
        odd(lab, {verb: "!sleep:0.3 !" + how})
        lab.record()
        swaks(lab)
    return function


ends("EHLO", "hello", "reset", "tcp-reset-by-server", "reset-at-ehlo")
ends("MAIL", "mail", "reset", "tcp-reset-by-server", "reset-at-mail")
ends("RCPT", "rcpt", "close", "tcp-server-closed-early", "closed-at-rcpt")
ends("DATA", "data", "reset", "tcp-reset-by-server", "reset-at-data")
ends("DATA", "data", "close", "tcp-server-closed-early", "closed-at-data")


@recording("session/reset-at-login.pcap", "swaks -> scripted server", "the server resets in place of the answer to AUTH", ("stuck", "tcp-reset-by-server", "auth"))
def reset_at_login(lab):
    odd(lab, {"EHLO": "250-mx.example.org\n250 AUTH PLAIN", "login": "!sleep:0.3 !reset"}, 587)
    lab.record()
    swaks(lab, "--port", "587", "--auth", "PLAIN", "--auth-user", "anna@example.org", "--auth-password", "lab-Secret-4711")


@recording("session/slow-answers.pcap", "typed by hand -> scripted server", "every answer takes 6 s, the client is patient", ("delivered", "ok-delivered", "final"))
def slow_answers(lab):
    odd(lab, {verb: "!sleep:6 " + reply for verb, reply in (("MAIL", "250 2.1.0 Ok"), ("RCPT", "250 2.1.5 Ok"), ("DATA", "354 Go ahead"),
                                                              ("DOT", "250 2.0.0 Ok: queued as 4F1B2C"))})
    lab.record()
    typed(lab, TO_TEXT + [TEXT + ".\r\n"] + END)


# --- recordings that do not show enough ---

@recording("unknown/answer-to-the-dot-not-recorded.pcap", "swaks -> scripted server", "the recorder misses the answer to the dot; QUIT and its answer are there",
           ("unknown", "unk-incomplete", "final", "C:^QUIT"))
def answer_missing(lab):
    odd(lab, {"DOT": "250 2.0.0 Ok: queued as 4F1B2C " + "and thank you very much " * 6})
    lab.record("not (src port 25 and greater 160)")
    swaks(lab)


@recording("unknown/headers-only.pcap", "curl -> Postfix", "recorded with -s 66: addresses and numbers, not a word of the dialogue", ("unknown", "unk-incomplete", "", "LAST"))
def headers_only(lab):
    postfix(lab)
    lab.record(snaplen=66)
    curl(lab)


@recording("unknown/client-side-only-silence.pcap", "Python smtplib -> scripted server", "only the client's packets are recorded; it waits for RCPT and gives up: not even a timeout is proven",
           ("unknown", "unk-one-sided", "", "LAST"))
def one_sided(lab):
    odd(lab, {"RCPT": "!hang"})
    lab.record("src host " + CLIENT)
    typed(lab, HELLO + ["MAIL FROM:<anna@example.net>\r\n", "?", "RCPT TO:<bob@example.org>\r\n", 7])


@recording("unknown/client-side-only-unanswered-syns.pcap", "Python smtplib -> Postfix", "only the client's packets are recorded; the connection comes about at the second SYN",
           ("unknown", "unk-one-sided", "", "LAST"))
def one_sided_syns(lab):
    postfix(lab)
    lab.drop("tcp dport 25 tcp flags == syn numgen inc mod 3 != 2")
    lab.record("src host " + CLIENT)
    swaks(lab)
