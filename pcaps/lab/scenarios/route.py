"""The way to the server: routers and firewalls that say no, answers that do not come back, proxies in between."""
import os

from clients import curl, msmtp, smtplib, swaks
from net import MORE, SERVER
from scenarios import recording
from scenarios.names import TRY
from servers import dnsmasq, odd, postfix

FAR = "203.0.113.200"  # behind the server's host, which routes


def routed(lab, *server_routes):
    lab.on_server("sysctl -qw net.ipv4.ip_forward=1")
    lab.on_client("ip route add %s via %s dev c0 onlink" % (FAR, SERVER))
    for route in server_routes:
        lab.on_server("ip route add " + route)


@recording("route/no-way-to-host.pcap", "Python smtplib -> router", "the router has no way to the server",
           ("stuck", "net-icmp-unreachable", "connect", "ICMP"))
def no_way(lab):
    routed(lab, "unreachable " + FAR)
    lab.record()
    smtplib(lab, TRY % (FAR, 587))


@recording("route/prohibited-by-router.pcap", "Python smtplib -> router", "the router's rules forbid the way",
           ("stuck", "net-icmp-prohibited", "connect", "ICMP"))
def prohibited(lab):
    routed(lab, "prohibit " + FAR)
    lab.record()
    smtplib(lab, TRY % (FAR, 25))


@recording("route/answer-does-not-come-back.pcap", "Python smtplib -> Postfix", "the client's own firewall drops the server's acceptance",
           ("stuck", "tcp-handshake-incomplete", "connect", "S:SYN"))
def one_way(lab):
    postfix(lab)
    lab.drop("tcp sport 25", where="client")
    lab.record()
    smtplib(lab, TRY % (SERVER, 25))


# --- proxies ---

def socks(lab, *options):
    lab.spawn(lab.server, ["microsocks", "-i", "203.0.113.1", "-p", "1080", *options])
    lab.wait_port(1080)


def http_proxy(lab, *settings):
    path = os.path.join(lab.folder, "tinyproxy.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(("Port 3128", "Listen 203.0.113.1", "Timeout 20", "LogFile \"%s/log\"" % lab.folder) + settings) + "\n")
    lab.spawn(lab.server, ["tinyproxy", "-d", "-c", path])
    lab.wait_port(3128)


@recording("proxy/http-forbids-port.pcap", "curl -> tinyproxy", "the proxy connects to port 443 only",
           ("stuck", "mbx-proxy-failed", "connect", "C:CONNECT + S:403"))
def forbidden(lab):
    postfix(lab, port=587)
    http_proxy(lab, "ConnectPort 443")
    lab.record()
    curl(lab, "-p", "-x", "http://203.0.113.1:3128", url="smtp://%s:587" % SERVER)


@recording("proxy/http-delivered.pcap", "curl -> tinyproxy -> Postfix", "the proxy connects to the mail server",
           ("delivered", "ok-delivered", "final"))
def through_http(lab):
    postfix(lab, port=587)
    http_proxy(lab, "ConnectPort 587")
    lab.record("port 3128")
    curl(lab, "-p", "-x", "http://203.0.113.1:3128", url="smtp://%s:587" % SERVER)


@recording("proxy/http-wants-login.pcap", "curl -> tinyproxy", "the proxy wants a login",
           ("stuck", "mbx-proxy-failed", "connect", "C:CONNECT + S:407"))
def wants_login(lab):
    postfix(lab, port=587)
    http_proxy(lab, "ConnectPort 587", "BasicAuth anna lab-Proxy-9001")
    lab.record()
    curl(lab, "-p", "-x", "http://203.0.113.1:3128", url="smtp://%s:587" % SERVER)


@recording("proxy/socks-server-refused.pcap", "msmtp -> microsocks", "nothing listens behind the proxy",
           ("stuck", "mbx-proxy-failed", "connect", r"S:^\x05[\x01-\x08]"))
def socks_refused(lab):
    socks(lab)
    lab.record()
    msmtp(lab, "proxy_host 203.0.113.1", "proxy_port 1080", port=587)


@recording("proxy/socks-delivered.pcap", "msmtp -> microsocks -> Postfix", "the proxy connects to the mail server",
           ("delivered", "ok-delivered", "final"))
def through_socks(lab):
    postfix(lab, port=587)
    socks(lab)
    lab.record("port 1080")
    msmtp(lab, "proxy_host 203.0.113.1", "proxy_port 1080", port=587)


# --- another server than the one that was called ---

@recording("route/port25-leads-elsewhere.pcap", "swaks -> scripted server", "the provider's own relay answers on port 25 in another's name",
           ("stuck", "mbx-port-redirect", "rcpt", r"S:(^|\n)554"))
def redirected(lab):
    odd(lab, {"greeting": "220 relay7.accessnet.example ESMTP", "EHLO": "250-relay7.accessnet.example\n250-PIPELINING\n250 8BITMIME",
              "RCPT": "554 5.7.1 <bob@example.org>: Relay access denied"})
    dnsmasq(lab, "--host-record=smtp.mailhoster.test,%s" % MORE[1])
    lab.record()
    swaks(lab, server="smtp.mailhoster.test")


@recording("route/port25-of-the-same-owner.pcap", "swaks -> scripted server", "the server has another name of the same owner",
           ("stuck", "rcpt-relay-denied", "rcpt", r"S:(^|\n)554"))
def same_owner(lab):
    odd(lab, {"greeting": "220 mx12.mailhoster.test ESMTP", "RCPT": "554 5.7.1 <bob@example.org>: Relay access denied"})
    dnsmasq(lab, "--host-record=smtp.mailhoster.test,%s" % MORE[1])
    lab.record()
    swaks(lab, server="smtp.mailhoster.test")
@recording("route/loop.pcap", "Python smtplib -> router", "two routers send the packets back and forth",
           ("stuck", "net-ttl-exceeded", "connect", "ICMP"))
def loop(lab):
    routed(lab, FAR + " via 192.0.2.10 dev s0 onlink")
    for on in (lab.on_client, lab.on_server):
        on("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.all.accept_local=1")
    lab.on_client("sysctl -qw net.ipv4.conf.c0.send_redirects=0 net.ipv4.conf.c0.rp_filter=0 net.ipv4.conf.c0.accept_local=1 net.ipv4.ip_default_ttl=63")
    lab.on_server("sysctl -qw net.ipv4.conf.s0.send_redirects=0 net.ipv4.conf.s0.rp_filter=0")
    lab.record()
    smtplib(lab, TRY % (FAR, 587))


