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


def curl(lab, *options, url="smtp://%s" % SERVER, to=("bob@example.org",), sender="anna@example.net", message=MESSAGE, timeout=90):
    command = ["curl", "-sS", "--max-time", "60", url, "--mail-from", sender, "-T", "-", "--crlf", *options]
    for recipient in to:
        command += ["--mail-rcpt", recipient]
    lab.run(command, stdin=message, timeout=timeout)


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


def exim(lab, to="bob@example.org", verify=None):
    path = os.path.join(lab.folder, "send.conf")
    spool = os.path.join(lab.folder, "send")
    os.makedirs(spool)
    subprocess.run(["chown", "mail:mail", spool], check=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("primary_hostname = relay.example.net\nexim_path = %s\nkeep_environment =\nspool_directory = %s\nexim_user = mail\nexim_group = mail\nlog_file_path = %s/%%slog\n"
                   "acl_smtp_rcpt = check\nbegin acl\ncheck:\n  require verify = sender/callout\n  accept\nbegin routers\nout:\n  driver = manualroute\n  route_list = * %s\n  transport = out\nbegin transports\nout:\n"
                   "  driver = smtp\n  hosts_avoid_tls = *\n  allow_localhost\n" % (servers.exim_program(), spool, spool, SERVER))
    if verify:  # only asks whether the address is good
        lab.run([servers.exim_program(), "-C", path, "-bhc", "192.0.2.77"], timeout=40,
                stdin="EHLO pc\r\nMAIL FROM:<%s>\r\nRCPT TO:<x@example.net>\r\nQUIT\r\n" % verify)
        return
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


def nc(lab, lines, port=25, gap=0.3, end="\r\n", server=SERVER, wait=1.0):
    """By hand in netcat: a line, then a pause; a number is a longer pause."""
    process = lab.spawn(lab.client, ["nc", "-q", "0", server, str(port)], stdin=subprocess.PIPE)
    time.sleep(0.6)
    for line in lines:
        if isinstance(line, (int, float)):
            time.sleep(line)
            continue
        try:
            process.stdin.write((line + end).encode("utf-8"))
            process.stdin.flush()
        except OSError:
            break
        time.sleep(gap)
    time.sleep(wait)
    try:
        process.stdin.close()
    except OSError:
        pass
    time.sleep(0.3)


def mutt(lab, to="bob@example.org", url="smtp://%s" % SERVER, *settings):
    command = ["mutt", "-n", "-F", "/dev/null", "-e", "set smtp_url='%s' from=anna@example.net realname=Anna copy=no hostname=pc.example.net "
               "ssl_starttls=no ssl_force_tls=no smtp_pass='%s'" % (url, PASSWORD)]
    for setting in settings:
        command += ["-e", setting]
    lab.run(command + ["-s", "Hello", "--", to], stdin="Hi Bob\n", timeout=40)


def ssmtp(lab, to="bob@example.org", port=25):
    program = os.path.join(servers.unpack("ssmtp"), "usr/sbin/ssmtp")
    path = os.path.join(lab.folder, "ssmtp.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write("mailhub=%s:%d\nhostname=pc.example.net\nFromLineOverride=YES\n" % (SERVER, port))
    lab.run([program, "-C", path, "-fanna@example.net", to], stdin=MESSAGE)


def dma(lab, to="bob@example.org"):
    """DragonFly's mailer reads fixed paths, so it gets a mount namespace with its own."""
    folder = servers.unpack("dma")
    spool = os.path.join(lab.folder, "dma")
    os.makedirs(spool + "/etc")
    with open(spool + "/etc/dma.conf", "w", encoding="utf-8") as file:
        file.write("SMARTHOST %s\nMAILNAME relay.example.net\nSPOOLDIR %s/spool\n" % (SERVER, spool))
    os.makedirs(spool + "/spool")
    subprocess.run(["chown", "-R", "mail:mail", spool], check=True)
    lab.run(["unshare", "-m", "sh", "-c", "mkdir -p /etc/dma /var/spool/dma; mount --bind %s/etc /etc/dma; mount --bind %s/spool /var/spool/dma;"
             "exec %s/usr/sbin/dma -D -f anna@example.net %s" % (spool, spool, folder, to)], stdin=MESSAGE)


def openssl(lab, port=587, typed_lines=""):
    lab.run(["openssl", "s_client", "-starttls", "smtp", "-connect", "%s:%d" % (SERVER, port), "-name", "pc.example.net", "-quiet"],
            stdin=typed_lines, timeout=20)


def lmtplib(lab, to, port=24):
    """Python's smtplib with its LMTP class."""
    smtplib(lab, """
s = smtplib.LMTP(SERVER, %d, local_hostname='pc.example.net')
try:
    s.sendmail('anna@example.net', %r, MESSAGE)
except smtplib.SMTPException:
    pass
s.quit()
""" % (port, list(to)))


def opensmtpd(lab, to="bob@example.org"):
    """OpenSMTPD as the sending server."""
    folder = servers.unpack("opensmtpd")
    servers.opensmtpd_users()
    conf = os.path.join(lab.folder, "relay.conf")
    with open(conf, "w", encoding="utf-8") as file:
        file.write('listen on lo port 2526 hostname relay.example.net\naction "out" relay host smtp://%s helo relay.example.net\n'
                   'match from any for any action "out"\n' % SERVER)
    lab.spawn(lab.client, servers.private_spool([os.path.join(folder, "usr/sbin/smtpd"), "-d", "-f", conf]))
    lab.wait_port(2526)
    lab.run(["swaks", "--server", "127.0.0.1", "--port", "2526", "--from", "anna@example.net", "--to", to, "--ehlo", "pc.example.net",
             "--body", "Hi Bob"])
    time.sleep(6)
