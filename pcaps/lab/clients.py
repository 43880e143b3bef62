"""Real mail clients, as a person or a server would run them."""
import os
import socket
import subprocess
import time

from net import SERVER
import servers

USER, PASSWORD, TOKEN = "anna@example.org", "lab-Secret-4711", "lab-Token-8156"
MESSAGE = "From: Anna <anna@example.net>\nTo: bob@example.org\nSubject: Hello\n\nHi Bob\n"


def swaks(lab, *options, server=SERVER, to="bob@example.org", sender="anna@example.net", ehlo="pc.example.net", timeout=8):
    lab.run(["swaks", "--server", server, "--from", sender, "--to", to, "--ehlo", ehlo, "--body", "Hi Bob", "--timeout",
             str(timeout), *options])


def curl(lab, *options, url="smtp://%s" % SERVER, to=("bob@example.org",), sender="anna@example.net", message=MESSAGE):
    command = ["curl", "-sS", "--max-time", "60", url, "--mail-from", sender, "-T", "-", "--crlf", *options]
    for recipient in to:
        command += ["--mail-rcpt", recipient]
    lab.run(command, stdin=message)


def msmtp(lab, *settings, to="bob@example.org", sender="anna@example.net", port=25):
    path = os.path.join(lab.folder, "msmtprc")
    with open(path, "w", encoding="utf-8") as file:
        file.write("account default\nhost %s\nport %d\nfrom %s\ndomain pc.example.net\ntls off\n" % (SERVER, port, sender)
                   + "\n".join(settings) + "\n")
    os.chmod(path, 0o600)
    lab.run(["msmtp", "-C", path, "--", to], stdin=MESSAGE)


def smtplib(lab, program, timeout=60):
    """A Python program: `program` is its body; `smtplib` is imported, SERVER and MESSAGE are set."""
    text = "import smtplib, time, socket\nSERVER = %r\nMESSAGE = %r\n%s" % (SERVER, MESSAGE.replace("\n", "\r\n"), program)
    lab.run(["/usr/bin/python3", "-c", text], timeout=timeout)


def snail(lab, *options, to="bob@example.org", url="smtp://%s" % SERVER):
    lab.run(["s-nail", "-:/", "-S", "mta=%s" % url, "-S", "hostname=pc.example.net", "-S", "from=anna@example.net", "-S", "v15-compat", "-S", "smtp-auth=none",
             *options, "-s", "Hello", to], stdin="Hi Bob\n")


def relay_config(lab, **settings):
    base = {"inet_interfaces": "loopback-only", "relayhost": "[%s]" % SERVER, "myhostname": "relay.example.net",
            "virtual_mailbox_domains": "", "virtual_mailbox_maps": "", "smtp_host_lookup": "native",
            "disable_dns_lookups": "yes"}
    base.update(settings)
    return servers.postfix_config(lab, "relay", base)


def postfix(lab, to=("bob@example.org",), wait=4, **settings):
    """Postfix as the sending server: queues a mail and delivers it to the other host."""
    etc = relay_config(lab, **settings)
    lab.on_client("postfix -c %s start" % etc)
    lab.cleanups.append(lambda: lab.run(["postfix", "-c", etc, "abort"]))
    time.sleep(1)
    lab.run(["sendmail", "-C", etc, "-f", "anna@example.net", *to], stdin=MESSAGE)
    time.sleep(wait)


def exim(lab, to="bob@example.org"):
    path = os.path.join(lab.folder, "send.conf")
    spool = os.path.join(lab.folder, "send")
    os.makedirs(spool)
    subprocess.run(["chown", "mail:mail", spool], check=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("primary_hostname = relay.example.net\nexim_path = %s\nkeep_environment =\nspool_directory = %s\nexim_user = mail\nexim_group = mail\nlog_file_path = %s/%%slog\n"
                   "begin routers\nout:\n  driver = manualroute\n  route_list = * %s\n  transport = out\nbegin transports\nout:\n"
                   "  driver = smtp\n  hosts_avoid_tls = *\n  allow_localhost\n" % (servers.exim_program(), spool, spool, SERVER))
    lab.run([servers.exim_program(), "-C", path, "-f", "anna@example.net", "-odi", to], stdin=MESSAGE, timeout=40)


def nullmailer(lab, to="bob@example.org"):
    folder = servers.unpack("nullmailer")
    program = os.path.join(folder, "usr/lib/nullmailer/smtp")
    path = os.path.join(lab.folder, "message")
    with open(path, "w", encoding="utf-8") as file:
        file.write("anna@example.net\n%s\n\n%s" % (to, MESSAGE))
    lab.run(["sh", "-c", "HELOHOST=pc.example.net exec %s --host=%s 3< %s" % (program, SERVER, path)])


def typed(lab, steps, port=25, server=SERVER, close="fin"):
    """By hand: each step is a text to send, a number of seconds to wait, or "?" to wait for an answer."""
    program = """
import socket, struct, sys, time
s = socket.create_connection((%r, %d), 30)
s.settimeout(30)
for step in %r:
    if isinstance(step, (int, float)):
        time.sleep(step)
    elif step == "?":
        try:
            s.recv(4096)
        except OSError:
            pass
    else:
        try:
            s.sendall(step.encode("latin-1"))
        except OSError:
            break
if %r == "rst":
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
if %r == "half":
    s.shutdown(socket.SHUT_WR)
    time.sleep(6)
s.close()
""" % (server, port, list(steps), close, close)
    lab.run(["/usr/bin/python3", "-c", program], timeout=200)
