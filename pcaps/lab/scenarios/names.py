"""Names that cannot be looked up, and neighbours that do not answer: nothing of the mail itself is on the wire."""
import time

from clients import curl, msmtp, postfix as relay, smtplib, swaks
from net import NAMES, SERVER
from scenarios import recording
from servers import dnsmasq, odd, postfix, unbound

HOST = "smtp.example.org"
FOUND = "--host-record=%s,%s" % (HOST, SERVER)
# a relay that bounces the mail looks for the sender's server next; the resolver refuses that
BOUNCE = ("stuck", "dns-servfail", "dns", "DNS:example.net@5", "the bounce")
TRY = """
try:
    smtplib.SMTP(%r, %d, timeout=8).sendmail('anna@example.net', ['bob@example.org'], MESSAGE)
except OSError:
    pass
"""


def send(lab, name=HOST, port=25):
    smtplib(lab, TRY % (name, port))


def patient(lab):
    """The client's resolver asks three times, as most systems do."""
    with open("/etc/netns/%s/resolv.conf" % lab.client, "w", encoding="utf-8") as file:
        file.write("nameserver %s\noptions attempts:3 timeout:2\n" % NAMES)


@recording("dns/nxdomain-dnsmasq.pcap", "curl -> dnsmasq", "the name of the outgoing server is misspelt",
           ("stuck", "dns-nxdomain", "dns", "DNS:smtp.exmaple.org@3"))
def nxdomain(lab):
    dnsmasq(lab, "--local=/exmaple.org/")
    lab.record()
    curl(lab, url="smtp://smtp.exmaple.org")


@recording("dns/refused-dnsmasq.pcap", "swaks -> dnsmasq", "the resolver has nobody to ask and refuses",
           ("stuck", "dns-servfail", "dns", "DNS:" + HOST + "@5"))
def refused(lab):
    dnsmasq(lab)
    lab.record()
    swaks(lab, server=HOST)


@recording("dns/servfail-unbound.pcap", "Python smtplib -> unbound", "the domain is to be signed (DNSSEC) and is not",
           ("stuck", "dns-servfail", "dns", "DNS:" + HOST + "@2"))
def servfail(lab):
    lab.spawn(lab.server, ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--port=5399",
                           "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file=", "--local=/example.org/", FOUND])
    unbound(lab, " do-not-query-localhost: no\n trust-anchor: \"example.org. DS 12345 8 2 %s\"\n"
            "forward-zone:\n name: \".\"\n forward-addr: 127.0.0.1@5399" % ("AB" * 32))
    patient(lab)
    lab.record()
    send(lab)


@recording("dns/no-answer.pcap", "Python smtplib -> nftables", "a firewall drops all questions",
           ("stuck", "dns-timeout", "dns", "DNS:" + HOST + "@none"))
def silent(lab):
    dnsmasq(lab, FOUND)
    lab.drop("udp dport 53")
    patient(lab)
    lab.record()
    send(lab)


@recording("dns/resolver-off.pcap", "Python smtplib -> nothing", "no resolver runs at the address that is set",
           ("stuck", "dns-resolver-unreachable", "dns", "DNS:" + HOST + "@icmp"))
def off(lab):
    lab.resolver(lab.client, NAMES)
    lab.record()
    send(lab)


@recording("dns/nodata-dnsmasq.pcap", "msmtp -> dnsmasq", "the name has a text record and no address",
           ("stuck", "dns-nodata", "dns", "DNS:mail.example.org@0"))
def nodata(lab):
    dnsmasq(lab, "--local=/example.org/", "--txt-record=mail.example.org,v=spf1 -all")
    lab.record()
    msmtp(lab, "host mail.example.org")


@recording("dns/null-mx-postfix.pcap", "Postfix -> dnsmasq", "the recipient's domain takes no mail (RFC 7505)",
           ("stuck", "dns-null-mx", "dns", "DNS:example.org@0"), BOUNCE)
def null_mx(lab):
    dnsmasq(lab, "--mx-host=example.org,.,0")
    lab.record()
    relay(lab, relayhost="", disable_dns_lookups="no", smtp_dns_support_level="enabled", smtp_host_lookup="dns")


@recording("dns/mx-does-not-exist-postfix.pcap", "Postfix -> dnsmasq", "the recipient's domain does not exist",
           ("stuck", "dns-nxdomain", "dns", "DNS:exmaple.org@3"), BOUNCE)
def no_domain(lab):
    dnsmasq(lab, "--local=/exmaple.org/")
    lab.record()
    relay(lab, to=("bob@exmaple.org",), relayhost="", disable_dns_lookups="no", smtp_dns_support_level="enabled", smtp_host_lookup="dns")


@recording("dns/sinkhole-nowhere.pcap", "curl -> dnsmasq", "a filter answers 0.0.0.0",
           ("stuck", "dns-sinkholed", "dns", "DNS:" + HOST + "@0"))
def sinkhole(lab):
    dnsmasq(lab, "--address=/%s/0.0.0.0" % HOST)
    lab.record()
    curl(lab, url="smtp://" + HOST)


@recording("dns/neighbour-off.pcap", "Python smtplib -> nothing", "the mail server on the same network is switched off",
           ("stuck", "net-arp-unresolved", "route", "ARP:192.0.2.77"))
def neighbour(lab):
    dnsmasq(lab, "--host-record=%s,192.0.2.77" % HOST)
    lab.record()
    send(lab)
    time.sleep(3)


@recording("dns/gateway-off.pcap", "Python smtplib -> nothing", "the gateway is switched off; the address of the server is known",
           ("stuck", "net-arp-unresolved", "route", "ARP:192.0.2.1"))
def gateway(lab):
    lab.on_client("ip route replace default via 192.0.2.1 dev c0")
    lab.record("arp or ip")
    send(lab, name=SERVER)
    time.sleep(3)


# --- near misses ---

@recording("dns/search-list.pcap", "swaks -> Postfix", "the search list is tried as well; then the name is found",
           ("delivered", "ok-delivered", "final"))
def search(lab):
    postfix(lab)
    dnsmasq(lab, FOUND, "--local=/corp.example/")
    with open("/etc/netns/%s/resolv.conf" % lab.client, "a", encoding="utf-8") as file:
        file.write("search corp.example\noptions ndots:3\n")
    lab.record()
    swaks(lab, server=HOST)


@recording("dns/no-ipv6-address.pcap", "curl -> Postfix", "AAAA has no answer, A has",
           ("delivered", "ok-delivered", "final"))
def no_aaaa(lab):
    postfix(lab)
    dnsmasq(lab, FOUND)
    lab.record()
    curl(lab, url="smtp://" + HOST)


@recording("dns/mx-found-postfix.pcap", "Postfix -> Postfix", "MX and address are found, the mail is delivered",
           ("delivered", "ok-delivered", "final"))
def mx_found(lab):
    postfix(lab)
    dnsmasq(lab, "--mx-host=example.org,mx1.example.org,10", "--host-record=mx1.example.org," + SERVER)
    lab.record()
    relay(lab, relayhost="", disable_dns_lookups="no", smtp_dns_support_level="enabled", smtp_host_lookup="dns")


@recording("dns/found-and-refused.pcap", "Python smtplib -> nothing", "the name is found, nothing listens",
           ("stuck", "tcp-refused", "connect"))
def found_refused(lab):
    dnsmasq(lab, FOUND)
    lab.record()
    send(lab)


@recording("dns/first-resolver-silent.pcap", "Python smtplib -> Postfix", "the first resolver drops the question, the second knows",
           ("delivered", "quit-problem", "quit"))
def second_resolver(lab):
    postfix(lab)
    dnsmasq(lab, FOUND)
    lab.drop("ip daddr 203.0.113.1 udp dport 53")
    with open("/etc/netns/%s/resolv.conf" % lab.client, "w", encoding="utf-8") as file:
        file.write("nameserver 203.0.113.1\nnameserver %s\noptions timeout:1 attempts:2\n" % NAMES)
    lab.record()
    send(lab)


@recording("dns/redirect-on-mail-port.pcap", "Python smtplib -> scripted server", "a guest network answers the mail port with a web redirection",
           ("stuck", "mbx-captive-portal", "greeting", "S:302"))
def portal(lab):
    odd(lab, {"greeting": "HTTP/1.1 302 Found\r\nLocation: http://login.hotel.example/\r\n\r\n"})
    dnsmasq(lab, FOUND)
    lab.record()
    send(lab)
