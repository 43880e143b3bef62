"""Connections that fail before EHLO, from real servers, and the names that clients give."""
from clients import curl, msmtp, nc, smtplib, snail, ssmtp, swaks, typed
from scenarios import recording
from server_dovecot import dovecot
from server_node import smtp_server
from servers import POSTSCREEN, dns, exim, odd, postfix

LISTED = {"10.2.0.192.zen.spamhaus.org/A": ["127.0.0.2"], "10.2.0.192.zen.spamhaus.org/TXT": ["https://www.spamhaus.org/query/ip/192.0.2.10"]}


@recording("greeting/busy-421-exim.pcap", "typed by hand -> Exim", "more connections of one client than smtp_accept_max_per_host allows",
           ("no-mail", "ok-no-attempt", "greeting"), ("stuck", "greet-421-busy", "greeting"))
def busy(lab):
    exim(lab, main="smtp_accept_max_per_host = 1")
    lab.record()
    smtplib(lab, """
first = socket.create_connection((SERVER, 25)); first.recv(999); time.sleep(0.5)
second = socket.create_connection((SERVER, 25)); second.recv(999)
first.sendall(b'QUIT\\r\\n'); first.recv(999); first.close(); time.sleep(0.5)
second.close()
""")


@recording("greeting/rejected-550-exim.pcap", "msmtp -> Exim", "acl_smtp_connect refuses the client", ("stuck", "greet-554-rejected", "greeting"))
def rejected(lab):
    exim(lab, main="acl_smtp_connect = deny")
    lab.record()
    msmtp(lab)


@recording("greeting/rejected-554-exim.pcap", "s-nail -> Exim", "host_reject_connection", ("stuck", "greet-554-rejected", "greeting"))
def rejected_host(lab):
    exim(lab, main="host_reject_connection = 192.0.2.0/24")
    lab.record()
    snail(lab)


@recording("greeting/blocklist-postfix.pcap", "curl -> Postfix", "reject_rbl_client with smtpd_delay_reject = no: the client's address is listed",
           ("stuck", "greet-dnsbl", "greeting"))
def blocklist(lab):
    dns(lab, LISTED)
    postfix(lab, {"smtpd_delay_reject": "no", "smtpd_client_restrictions": "reject_rbl_client zen.spamhaus.org"})
    lab.record()
    curl(lab)


@recording("greeting/early-talker-exim.pcap", "typed by hand -> Exim", "the client speaks before the greeting (smtp_enforce_sync)",
           ("stuck", "greet-early-talker", "greeting"))
def early_exim(lab):
    exim(lab, main="acl_smtp_connect = acl_slow\npipelining_connect_advertise_hosts =", rcpt="", data="  accept\nacl_slow:\n  accept delay = 2s")
    lab.record()
    typed(lab, ["EHLO pc.example.net\r\nMAIL FROM:<anna@example.net>\r\n", "?", 0.3])


@recording("greeting/early-talker-postscreen.pcap", "typed by hand -> Postfix postscreen",
           "the client speaks before the greeting, postscreen refuses the recipient for it", ("stuck", "greet-early-talker", "rcpt"))
def early_postscreen(lab):
    postfix(lab, {"postscreen_greet_action": "enforce", "postscreen_greet_wait": "3s"}, master=POSTSCREEN)
    lab.record()
    typed(lab, [0.5, "EHLO pc.example.net\r\n", "?", 4, "?", "MAIL FROM:<anna@example.net>\r\n", "?", "RCPT TO:<bob@example.org>\r\n", "?", "QUIT\r\n", "?"])


@recording("greeting/imap-server.pcap", "curl -> Dovecot", "the outgoing server is an IMAP server", ("stuck", "greet-pop-imap-banner", "greeting"))
def imap(lab):
    dovecot(lab, "imap", 25)
    lab.record()
    curl(lab)


@recording("greeting/pop-server-dovecot.pcap", "msmtp -> Dovecot", "the outgoing server is a POP server", ("stuck", "greet-pop-imap-banner", "greeting"))
def pop(lab):
    dovecot(lab, "pop3", 587)
    lab.record()
    msmtp(lab, port=587)


@recording("greeting/ssh-server.pcap", "curl -> scripted server", "an SSH server on port 587", ("stuck", "greet-not-smtp", "greeting"))
def ssh(lab):
    odd(lab, {"greeting": "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"}, 587)
    lab.record()
    curl(lab, url="smtp://198.51.100.25:587")


@recording("greeting/provider-blocks-port-25.pcap", "ssmtp -> scripted server", "an interceptor answers on port 25",
           ("stuck", "tcp-port25-blocked", "greeting", r"S:^554"))
def intercepted(lab):
    odd(lab, {"greeting": "554 5.7.1 Port 25 is blocked for residential customers, please use port 587 of your mail provider", "QUIT": "221 Bye"})
    lab.record()
    ssmtp(lab)


@recording("greeting/no-banner-then-reset.pcap", "typed by hand -> scripted server", "no greeting, the client resets after 6 s",
           ("stuck", "greet-no-banner", "greeting"))
def no_banner_reset(lab):
    odd(lab, {"greeting": "!hang"})
    lab.record()
    typed(lab, [6], close="rst")


@recording("greeting/slow-banner-quit.pcap", "typed by hand -> scripted server", "a greeting after 6 s, QUIT at once",
           ("stuck", "greet-slow-banner", "greeting", "S:^220 + C:QUIT"))
def slow_quit(lab):
    odd(lab, {"greeting": "!sleep:6 220 mx.example.org ESMTP"})
    lab.record()
    typed(lab, ["?", "QUIT\r\n", "?"])


@recording("greeting/masked-by-firewall.pcap", "swaks -> scripted server", "a firewall that masks the greeting and knows no EHLO; HELO works, the mail goes out",
           ("delivered", "ok-delivered", "final"))
def masked(lab):
    odd(lab, {"greeting": "220 ****************************************", "EHLO": "500 5.5.1 Command unrecognized: \"XXXX pc.example.net\""})
    lab.record()
    swaks(lab)


@recording("greeting/masked-by-firewall-client-gives-up.pcap", "swaks -> scripted server",
           "a firewall masks the greeting and the EHLO words; the client wants a login and gives up", ("stuck", "mbx-esmtp-masked", "hello", "S:^220 \\* + S:XXXA"))
def masked_gives_up(lab):
    odd(lab, {"greeting": "220 ****************************************", "EHLO": "250-mx.example.org\n250-XXXXXXXA\n250-SIZE 35000000\n250 XXXB"}, 587)
    lab.record()
    swaks(lab, "--port", "587", "--auth", "PLAIN", "--auth-user", "anna@example.org", "--auth-password", "lab-Secret-4711")


@recording("connect/two-addresses-refused.pcap", "curl -> nothing", "the host has an IPv6 and an IPv4 address, both refuse",
           ("stuck", "tcp-refused", "connect"), ("stuck", "tcp-refused", "connect"))
def refused_twice(lab):
    lab.record()
    curl(lab, "--resolve", "mx.example.org:25:2001:db8:1::25,198.51.100.25", url="smtp://mx.example.org")


@recording("connect/ipv6-refused-ipv4-sent.pcap", "curl -> Exim", "the IPv6 address refuses, the IPv4 address takes the mail",
           ("stuck", "tcp-refused", "connect"), ("delivered", "ok-delivered", "final"))
def refused_then_sent(lab):
    exim(lab, main="local_interfaces = 198.51.100.25")
    lab.record()
    curl(lab, "--resolve", "mx.example.org:25:2001:db8:1::25,198.51.100.25", url="smtp://mx.example.org")


@recording("connect/port25-blocked-two-servers.pcap", "Python smtplib -> nftables", "port 25 of two servers stays silent",
           ("stuck", "tcp-port25-blocked", "connect"), ("stuck", "tcp-port25-blocked", "connect"))
def blocked(lab):
    lab.drop("tcp dport 25")
    lab.record()
    smtplib(lab, """
import threading
def one(host):
    try:
        smtplib.SMTP(host, 25, timeout=9)
    except OSError:
        pass
threads = [threading.Thread(target=one, args=(host,)) for host in ('198.51.100.25', '203.0.113.1')]
for t in threads:
    t.start(); time.sleep(0.1)
for t in threads:
    t.join()
""")


@recording("hello/not-a-full-name-postfix.pcap", "swaks -> Postfix", "reject_non_fqdn_helo_hostname with smtpd_delay_reject = no",
           ("stuck", "hello-rejected-policy", "hello"))
def not_full(lab):
    postfix(lab, {"smtpd_delay_reject": "no", "smtpd_helo_required": "yes", "smtpd_helo_restrictions": "reject_non_fqdn_helo_hostname"})
    lab.record()
    swaks(lab, ehlo="pc")


@recording("hello/invalid-name-postfix.pcap", "swaks -> Postfix", "reject_invalid_helo_hostname at RCPT", ("stuck", "hello-rejected-policy", "rcpt"))
def invalid(lab):
    postfix(lab, {"smtpd_helo_restrictions": "reject_invalid_helo_hostname"})
    lab.record()
    swaks(lab, ehlo="my_pc.-x")


@recording("hello/name-without-argument.pcap", "nc -> smtp-server", "EHLO and HELO without a name", ("stuck", "hello-rejected-syntax", "hello"))
def without(lab):
    smtp_server(lab)
    lab.record()
    nc(lab, ["EHLO", "HELO", "QUIT"])


@recording("hello/ehlo-unknown-login-wanted.pcap", "swaks -> scripted server", "EHLO is refused and HELO taken on port 587; the client wants a login and leaves",
           ("stuck", "hello-ehlo-unsupported", "hello"))
def ehlo_unknown(lab):
    odd(lab, {"EHLO": "502 5.5.1 Command not implemented"}, 587)
    lab.record()
    swaks(lab, "--port", "587", "--auth", "PLAIN", "--auth-user", "anna@example.org", "--auth-password", "lab-Secret-4711")


@recording("hello/ehlo-unknown-sent-with-helo.pcap", "curl -> scripted server", "EHLO is refused, HELO taken, the mail goes out",
           ("delivered", "ok-delivered", "final"))
def ehlo_unknown_sent(lab):
    odd(lab, {"EHLO": "502 5.5.1 Command not implemented"})
    lab.record()
    curl(lab)
