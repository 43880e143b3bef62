"""Real mail servers, each from its own configuration in the recording's scratch folder."""
import json
import os
import pwd
import threading

from net import NAMES, sh

HERE = os.path.dirname(os.path.abspath(__file__))
LOCK = threading.Lock()
UNPACKED = os.path.join(HERE, ".unpacked")  # packages that conflict with Postfix, unpacked and run from there


def unpack(package):
    folder = os.path.join(UNPACKED, package)
    with LOCK:  # several recordings may want it at once
        if not os.path.isdir(folder):
            os.makedirs(UNPACKED, exist_ok=True)
            sh("apt-get download -qq %s" % package, cwd=UNPACKED)
            deb = [f for f in os.listdir(UNPACKED) if f.startswith(package + "_")][0]
            sh("dpkg -x %s %s" % (deb, folder), cwd=UNPACKED)
    return folder


def odd(lab, script, port=25):
    lab.spawn(lab.server, ["python3", os.path.join(HERE, "odd.py"), str(port), json.dumps(script)])
    lab.wait_port(port)


def aiosmtpd(lab, port=25, *options):
    lab.spawn(lab.server, ["/usr/bin/python3", "-m", "aiosmtpd", "-n", "-l", "0.0.0.0:%d" % port, "-c",
                           "aiosmtpd.handlers.Sink", *options])
    lab.wait_port(port)


MASTER = """smtp inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

MAIN = """compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = /var/log/smtpwhy-lab.log
maillog_file_prefixes = /var
smtpd_peername_lookup = no
myhostname = mx.example.org
mydestination =
mynetworks = 127.0.0.0/8
inet_protocols = all
virtual_mailbox_domains = example.org
virtual_mailbox_maps = inline:{{bob@example.org=bob, carol@example.org=carol, dave@example.org=dave, anna@example.org=anna}}
virtual_transport = discard
smtpd_relay_restrictions = reject_unauth_destination
alias_maps =
local_recipient_maps =
"""


def postfix_config(lab, name, settings, master=MASTER):
    folder = os.path.join(lab.folder, name)
    for part in ("etc", "spool", "data"):
        os.makedirs(os.path.join(folder, part))
    owner = pwd.getpwnam("postfix")
    os.chown(os.path.join(folder, "data"), owner.pw_uid, owner.pw_gid)
    with open(os.path.join(folder, "etc", "main.cf"), "w", encoding="utf-8") as file:
        file.write(MAIN.format(folder=folder) + "\n".join("%s = %s" % item for item in settings.items()) + "\n")
    with open(os.path.join(folder, "etc", "master.cf"), "w", encoding="utf-8") as file:
        file.write(master)
    return os.path.join(folder, "etc")


def postfix(lab, settings=None, port=25, master=MASTER):
    if port != 25:
        master = master.replace("smtp inet", "%d inet" % port)
    etc = postfix_config(lab, "postfix", settings or {}, master)
    lab.on_server("postfix -c %s start" % etc)
    lab.cleanups.append(lambda: sh("ip netns exec %s postfix -c %s abort" % (lab.server, etc), check=False))
    lab.wait_port(port)
    return etc


EXIM = """primary_hostname = mx.example.org
exim_path = {program}
keep_environment =
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
exim_user = mail
exim_group = mail
never_users =
domainlist local_domains = example.org
acl_smtp_rcpt = acl_rcpt
acl_smtp_data = acl_data
host_lookup =
rfc1413_query_timeout = 0s
smtp_accept_keepalive = false
{tls}{main}
begin acl
acl_rcpt:
{rcpt}
  accept hosts = :
  require message = relay not permitted
    domains = +local_domains
  deny message = Unrouteable address
    ! local_parts = bob : carol : dave : anna : postmaster
  accept
acl_data:
{data}
  accept
begin routers
{routers}
begin authenticators
{auth}
"""

EXIM_ROUTERS = """all:
  driver = redirect
  data = :blackhole:
"""

EXIM_AUTH = """plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{anna@example.org}}{eq{$auth3}{lab-Secret-4711}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{anna@example.org}}{eq{$auth2}{lab-Secret-4711}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{anna@example.org}{lab-Secret-4711}fail}
  server_set_id = $auth1
"""


def exim_config(lab, name, main="", rcpt="", data="", auth=EXIM_AUTH, routers=EXIM_ROUTERS):
    folder = os.path.join(lab.folder, name)
    os.makedirs(os.path.join(folder, "spool"))
    sh("chown -R mail:mail %s" % folder)
    path = os.path.join(folder, "exim.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(EXIM.replace("{folder}", folder).replace("{program}", exim_program()).replace("{tls}", "" if "tls_" in main else "tls_advertise_hosts =\n").replace("{main}", main).replace("{rcpt}", rcpt)
                   .replace("{data}", data).replace("{auth}", auth).replace("{routers}", routers))
    return path


def exim_program():
    sh("id Debian-exim || useradd -r -d /var/empty -s /usr/sbin/nologin Debian-exim", check=False)  # built into it
    return os.path.join(unpack("exim4-daemon-light"), "usr/sbin/exim4")


def exim(lab, port=25, **config):
    path = exim_config(lab, "exim", **config)
    lab.spawn(lab.server, [exim_program(), "-C", path, "-bdf", "-oX", str(port)])
    lab.wait_port(port)


def opensmtpd_users():
    for user, home in (("opensmtpd", "/var/empty"), ("opensmtpq", "/var/empty")):
        sh("id %s || useradd -r -d %s -s /usr/sbin/nologin %s" % (user, home, user), check=False)
    os.makedirs("/var/lib/opensmtpd/empty", exist_ok=True)
    sh("mkdir -p /usr/lib/x86_64-linux-gnu/opensmtpd && cp -rn %s/usr/lib/*/opensmtpd/. /usr/lib/x86_64-linux-gnu/opensmtpd/"
       % unpack("opensmtpd"), check=False)


def private_spool(command):
    """OpenSMTPD keeps its queue and socket at fixed paths: each one gets its own view of them."""
    return ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o mode=755 x /var/spool && mount -t tmpfs -o mode=755 x /run && mkdir -p /var/spool/smtpd &&"
            " chmod 711 /var/spool/smtpd && exec \"$@\"", "sh"] + command


def opensmtpd(lab, port=25, rules="", tables="", listen="", first=""):
    folder = unpack("opensmtpd")
    opensmtpd_users()
    conf = os.path.join(lab.folder, "smtpd.conf")
    with open(conf, "w", encoding="utf-8") as file:
        file.write('smtp max-message-size 100K\n%s\ntable users { "bob" = "nobody", "carol" = "nobody" }\n'
                   'listen on 198.51.100.25 port %d hostname mx.example.org %s\naction "in" mda "true" virtual <users>\n%s\n'
                   'match from any for domain "example.org" action "in"\n%s\n' % (tables, port, listen, first, rules))
    lab.spawn(lab.server, private_spool([os.path.join(folder, "usr/sbin/smtpd"), "-d", "-f", conf]))
    lab.wait_port(port)


# Debian 12's OpenSMTPD keeps its keys in an OpenSSL engine, which OpenSSL 3 passes by: every handshake ends in internal_error.
NEWER = ("opensmtpd", "libc6", "libcrypt1", "libdb5.3t64", "libevent-2.1-7t64", "libpam0g", "libssl3t64", "zlib1g", "libaudit1", "libcap-ng0",
         "libzstd1", "libgcc-s1")
APT = """Dir::Etc::sourcelist "{folder}/sources";
Dir::Etc::sourceparts "-";
Dir::State::lists "{folder}/lists";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
"""


def newer_opensmtpd():
    """The root of a system that holds Debian 13's OpenSMTPD and its libraries, and nothing else."""
    folder = os.path.join(UNPACKED, "debian13")
    root = os.path.join(folder, "root")
    with LOCK:
        if os.path.isdir(root):
            return root
        sh("mkdir -p %s/lists/partial %s/cache/archives/partial && touch %s/status" % (folder, folder, folder))
        for name, text in (("apt.conf", APT.format(folder=folder)), ("sources", "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
                                                                                "http://deb.debian.org/debian trixie main\n")):
            with open(os.path.join(folder, name), "w", encoding="ascii") as file:
                file.write(text)
        sh("export APT_CONFIG=%s/apt.conf; apt-get update -qq && apt-get download -qq %s" % (folder, " ".join(NEWER)), cwd=folder)
        new = root + ".new"
        sh("mkdir -p {0}/usr/lib {0}/usr/lib64 {0}/usr/sbin {0}/usr/bin {0}/tmp {0}/dev {0}/run {0}/var/spool {0}/var/empty {0}/var/lib/opensmtpd/empty"
           .format(new))
        for part in ("lib", "lib64", "sbin", "bin"):
            os.symlink("usr/" + part, os.path.join(new, part))
        os.symlink("/run", os.path.join(new, "var", "run"))
        for deb in sorted(name for name in os.listdir(folder) if name.endswith(".deb")):
            sh("dpkg --fsys-tarfile %s | tar -x --keep-directory-symlink -C %s" % (deb, new), cwd=folder)
        sh("mkdir -p {0}/etc/ssl/certs && cp /etc/ssl/certs/ca-certificates.crt {0}/etc/ssl/certs/".format(new))
        os.rename(new, root)
    return root


def opensmtpd_with_tls(lab, port, listen):
    """OpenSMTPD with the certificate of the recording; `listen` is "tls" or "smtps"."""
    opensmtpd_users()
    root = newer_opensmtpd()
    conf, key = (os.path.join(lab.folder, name) for name in ("smtpd.conf", "pki.key"))
    with open(lab.key, encoding="ascii") as source, open(key, "w", encoding="ascii") as file:
        os.chmod(key, 0o600)
        file.write(source.read())
    with open(conf, "w", encoding="utf-8") as file:
        file.write('pki mx.example.org cert "%s"\npki mx.example.org key "%s"\ntable users { "bob" = "nobody", "carol" = "nobody" }\n'
                   'listen on 198.51.100.25 port %d hostname mx.example.org %s pki mx.example.org\n'
                   'action "in" mda "true" virtual <users>\nmatch from any for domain "example.org" action "in"\n' % (lab.chain, key, port, listen))
    mounts = " && ".join("mount --bind %s %s%s" % (path, root, path) for path in ("/tmp", "/dev"))
    files = " && ".join("touch {1}{0} && mount --bind {0} {1}{0}".format(path, root) for path in ("/etc/passwd", "/etc/group"))
    spool = " && ".join("mount -t tmpfs -o mode=755 x %s%s" % (root, path) for path in ("/run", "/var/spool"))
    lab.spawn(lab.server, ["unshare", "-m", "sh", "-c", "%s && %s && %s && mkdir -m 711 %s/var/spool/smtpd && exec chroot %s /usr/sbin/smtpd -d -f %s"
                           % (mounts, files, spool, root, root, conf)])
    lab.wait_port(port)


def dns(lab, records, where=None, address="127.0.0.1"):
    """A name server; by default one that only the mail server asks, so that its look-ups are not in the recording."""
    lab.spawn(where or lab.server, ["python3", os.path.join(HERE, "dns.py"), address, json.dumps(records)])
    lab.wait_port(53, kind="u")


def dnsmasq(lab, *options):
    """dnsmasq on the server's host, as the client's resolver; what it does not know it refuses."""
    lab.spawn(lab.server, ["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", "--user=root",
                           "--listen-address=" + NAMES, "--bind-interfaces", "--pid-file=", *options])
    lab.wait_port(53, kind="u")
    lab.resolver(lab.client, NAMES)


def unbound(lab, settings):
    """unbound as the client's resolver, with these lines of its configuration."""
    path = os.path.join(lab.folder, "unbound.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write("server:\n chroot: \"\"\n username: \"\"\n pidfile: \"\"\n directory: \"%s\"\n use-syslog: no\n interface: %s\n"
                   " access-control: 0.0.0.0/0 allow\n do-ip6: no\n%s\nremote-control:\n control-enable: no\n" % (lab.folder, NAMES, settings))
    lab.spawn(lab.server, ["unbound", "-d", "-c", path])
    lab.wait_port(53, kind="u")
    lab.resolver(lab.client, NAMES)


def certificate(lab):
    """Settings that let Postfix offer STARTTLS."""
    path = os.path.join(lab.folder, "tls.pem")
    sh("openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=mx.example.org -keyout %s -out %s.crt && cat %s.crt >> %s" % (path, path, path, path))
    return {"smtpd_tls_security_level": "may", "smtpd_tls_chain_files": path}


POSTSCREEN = MASTER.replace("smtp inet n - n - - smtpd\n", "smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\n"
                            "dnsblog unix - - n - 0 dnsblog\ntlsproxy unix - - n - 0 tlsproxy\n")


def postgrey(lab, delay):
    """The greylisting server; Postfix asks it."""
    folder = os.path.join(lab.folder, "postgrey")
    os.makedirs(folder)
    os.chmod(folder, 0o777)
    lab.spawn(lab.server, ["postgrey", "--inet=127.0.0.1:10023", "--dbdir=%s" % folder, "--delay=%d" % delay, "--user=nobody", "--group=nogroup",
                           "--hostname=mx.example.org"])
    lab.wait_port(10023)
    return {"smtpd_recipient_restrictions": "reject_unauth_destination, check_policy_service inet:127.0.0.1:10023"}
