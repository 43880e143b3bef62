"""Boxes in between that change what the two ends say: they mask, strip, inject, swallow."""
import threading
import time

from clients import MESSAGE, curl, nc, smtplib, swaks, typed
from net import NAMES, SERVER
from scenarios import recording
from scenarios.transfer import TO_TEXT
from servers import certificate, exim, postfix

TEXT = MESSAGE.replace("\n", "\r\n")
OLD_TEXT = [step.replace("EHLO", "HELO") if isinstance(step, str) else step for step in TO_TEXT]  # up to 354, without extensions


@recording("middlebox/masked-sent-with-helo.pcap", "swaks -> Postfix behind a masking cable", "a firewall paints over the greeting and EHLO; HELO is left, the mail goes out",
           ("delivered", "ok-delivered", "final"))
def masked_sent(lab):
    postfix(lab)
    lab.cable({"fault": "mask"})
    lab.record()
    swaks(lab)


@recording("middlebox/masked-no-starttls.pcap", "swaks -> Postfix behind a masking cable", "a firewall paints over the greeting and STARTTLS; the client insists on encryption",
           ("stuck", "mbx-esmtp-masked", "hello", r"S:^220 \*+ + S:250-X{7}A"))
def masked_starttls(lab):
    postfix(lab, certificate(lab), 587)
    lab.cable({"fault": "mask", "hello": True})
    lab.record()
    swaks(lab, "--port", "587", "-tls")


@recording("middlebox/starttls-painted-over.pcap", "swaks -> Postfix behind a cable", "only the word STARTTLS is painted over; the client insists on encryption",
           ("stuck", "mbx-esmtp-masked", "hello", "S:250-XXXXXXXA"))
def painted_over(lab):
    postfix(lab, certificate(lab), 587)
    lab.cable({"fault": "overwrite", "of": "S", "when": "STARTTLS", "by": "XXXXXXXA"})
    lab.record()
    swaks(lab, "--port", "587", "-tls")


@recording("middlebox/starttls-command-painted-over.pcap", "swaks -> Postfix behind a cable", "STARTTLS is offered, and the command arrives as XXXXXXXX",
           ("stuck", "mbx-starttls-stripped", "starttls", "C:^STARTTLS + S:^500"))
def command_painted_over(lab):
    postfix(lab, certificate(lab), 587)
    lab.cable({"fault": "overwrite", "of": "C", "when": "^STARTTLS", "by": "XXXXXXXX"})
    lab.record()
    swaks(lab, "--port", "587", "-tls")


STRIP = """
import socket, threading
def pump(a, b, strip):
    while True:
        data = a.recv(65536)
        if not data:
            break
        b.sendall(data.replace(b'250-STARTTLS\\r\\n', b'') if strip else data)
    b.shutdown(socket.SHUT_WR)
l = socket.create_server(('0.0.0.0', 2525))
while True:
    c, _ = l.accept()
    s = socket.create_connection(('127.0.0.1', 25))
    threading.Thread(target=pump, args=(c, s, False), daemon=True).start()
    threading.Thread(target=pump, args=(s, c, True), daemon=True).start()
"""


def stripping_proxy(lab):
    """What goes to port 25 from now on passes a proxy that takes STARTTLS out of the server's words."""
    lab.spawn(lab.server, ["/usr/bin/python3", "-c", STRIP])
    lab.wait_port(2525)
    lab.on_server("nft add table ip n")
    lab.on_server("nft add chain ip n p '{ type nat hook prerouting priority -100; }'")
    lab.on_server("nft add rule ip n p tcp dport 25 redirect to :2525")


@recording("middlebox/starttls-stripped.pcap", "nc, swaks -> Postfix, then through a stripping proxy",
           "the server offers STARTTLS; a moment later a proxy leaves it out, and a client that insists on encryption gives up",
           ("no-mail", "ok-no-attempt", "hello"), ("stuck", "mbx-starttls-stripped", "hello", r"S:(^|\n)250-[^S] + C:END"))
def stripped(lab):
    postfix(lab, certificate(lab))
    lab.record()
    nc(lab, ["EHLO monitor.example.net", "QUIT"])
    stripping_proxy(lab)
    swaks(lab, "-tls")


@recording("middlebox/starttls-stripped-sent-in-clear.pcap", "nc, swaks -> Postfix, then through a stripping proxy",
           "a proxy leaves STARTTLS out; the client does not insist, and the mail goes out in clear text",
           ("no-mail", "ok-no-attempt", "hello"), ("delivered", "ok-delivered", "final"))
def stripped_sent(lab):
    postfix(lab, certificate(lab))
    lab.record()
    nc(lab, ["EHLO monitor.example.net", "QUIT"])
    stripping_proxy(lab)
    swaks(lab, "--tls-optional")


@recording("middlebox/reset-by-third-party.pcap", "swaks -> Postfix, RST by a third party", "a box answers MAIL with a RST in the server's name, and to the server with one in the client's",
           ("stuck", "mbx-rst-injected", "mail", "C:^MAIL + S:END"))
def injected(lab):
    postfix(lab)
    lab.cable({"fault": "delay", "of": "S", "seconds": 0.02}, {"fault": "reset", "of": "C", "when": "^MAIL", "ttl": 117, "both": True})
    lab.record()
    swaks(lab)


@recording("middlebox/reset-by-third-party-and-the-server-goes-on.pcap", "Python smtplib -> Exim, RST by a third party",
           "a box resets the client only; the server's own answer to RCPT comes behind the RST",
           ("stuck", "mbx-rst-injected", "rcpt", "C:(?i)^RCPT + S:END + S:^250 Accepted"))
def injected_goes_on(lab):
    exim(lab)
    lab.cable({"fault": "delay", "of": "S", "seconds": 0.05}, {"fault": "reset", "of": "C", "when": "^(?i:RCPT)", "ttl": 64})
    lab.record()
    smtplib(lab, """
try:
    smtplib.SMTP(SERVER, local_hostname='pc.example.net').sendmail('anna@example.net', ['bob@example.org'], MESSAGE)
except OSError:
    time.sleep(1)
""")


@recording("middlebox/reset-after-goodbye-by-third-party.pcap", "swaks -> Postfix, RST by a third party", "a box resets both ends behind QUIT: the mail had been accepted",
           ("delivered", "ok-delivered", "final"))
def injected_late(lab):
    postfix(lab)
    lab.cable({"fault": "delay", "of": "S", "seconds": 0.02}, {"fault": "reset", "of": "S", "when": "^221", "ttl": 117, "both": True})
    lab.record()
    swaks(lab)


@recording("middlebox/dot-alone-is-masked.pcap", "typed by hand -> Postfix behind a masking cable",
           "the dot comes in a packet of its own, and a masking firewall takes it for a command; the client waits 20 s and leaves",
           ("stuck", "mbx-pix-dot-split", "final", r"S:^220 \*+ + C:^\.\r\n + C:END"))
def dot_alone(lab):
    postfix(lab)
    lab.cable({"fault": "mask"})
    lab.record()
    typed(lab, OLD_TEXT + [TEXT, 0.3, ".\r\n", 20])


@recording("middlebox/dot-with-the-text-is-not-masked.pcap", "typed by hand -> Postfix behind a masking cable", "the same firewall, the dot comes in the packet of the text",
           ("delivered", "ok-delivered", "final"))
def dot_with_text(lab):
    postfix(lab)
    lab.cable({"fault": "mask"})
    lab.record()
    typed(lab, OLD_TEXT + [TEXT + ".\r\n", "?", "QUIT\r\n", "?"])


PORTAL = """
import http.server
class Portal(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302); self.send_header('Location', 'http://login.hotel.example/'); self.end_headers()
http.server.HTTPServer(('203.0.113.1', 80), Portal).serve_forever()
"""


def portal(lab):
    """A guest network before the login: every name leads to its own server, which answers web pages only."""
    lab.spawn(lab.server, ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root", "--pid-file=",
                           "--listen-address=" + NAMES, "--bind-interfaces", "--address=/#/203.0.113.1"])
    lab.wait_port(53, kind="u")
    lab.resolver(lab.client, NAMES)
    lab.spawn(lab.server, ["/usr/bin/python3", "-c", PORTAL])
    lab.wait_port(80)


@recording("middlebox/guest-network-before-login.pcap", "curl -> Python http.server, dnsmasq", "every name leads to the portal, web pages are redirected to its login, the mail port is refused",
           ("stuck", "mbx-captive-portal", "connect", "S:END"))
def captive(lab):
    portal(lab)
    lab.record()
    lab.run(["curl", "-sS", "--max-time", "5", "http://www.example.com/"])
    curl(lab, url="smtp://smtp.example.org:587")


@recording("middlebox/web-page-redirected-mail-sent.pcap", "curl -> Python http.server, Postfix", "a web page is redirected, as many are; the mail goes out to another host",
           ("delivered", "ok-delivered", "final"))
def no_portal(lab):
    postfix(lab)
    portal(lab)
    lab.record("port 25 or port 53 or port 80")
    lab.run(["curl", "-sS", "--max-time", "5", "http://www.example.com/"])
    curl(lab)
