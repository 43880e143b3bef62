"""The versions of the programs that a scenario names, for INDEX.tsv."""
import json
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
UNPACKED = os.path.join(HERE, ".unpacked")
PACKAGES = {  # the name in a scenario's origin: the Debian package (or "npm:" and the npm package)
    "swaks": "swaks", "curl": "curl", "msmtp": "msmtp", "s-nail": "s-nail", "mutt": "mutt", "nullmailer": "nullmailer",
    "ssmtp": "ssmtp", "dma": "dma", "Postfix": "postfix", "Exim": "exim4-daemon-light", "OpenSMTPD": "opensmtpd",
    "newer OpenSMTPD": "debian13:opensmtpd",
    "Dovecot": "dovecot-core", "sendmail": "sendmail-bin", "aiosmtpd": "python3-aiosmtpd", "Python": "python3",
    "openssl s_client": "openssl", "openssl s_server": "openssl", "gnutls-cli": "gnutls-bin", "nc": "netcat-openbsd", "postgrey": "postgrey", "nftables": "nftables",
    "nodemailer": "npm:nodemailer", "smtp-server": "npm:smtp-server", "Haraka": "npm:Haraka",
}
KNOWN = {}


def of_package(package):
    if package.startswith("npm:"):
        with open(os.path.join(UNPACKED, "node", "node_modules", package[4:], "package.json"), encoding="utf-8") as file:
            return json.load(file)["version"]
    if package.startswith("debian13:"):
        name = [name for name in os.listdir(os.path.join(UNPACKED, "debian13")) if name.startswith(package[9:] + "_")][0]
        return re.split(r"[-+]", name.split("_")[1])[0]
    out = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package], capture_output=True, text=True, check=False).stdout
    if out.startswith("installed "):
        version = out.split()[1]
    else:  # unpacked and not installed
        names = [name for name in os.listdir(UNPACKED) if name.startswith(package + "_")]
        version = names[0].split("_")[1].replace("%3a", ":")
    return re.sub(r"^\d+:", "", re.split(r"[-+]", version)[0])


def of(name):
    if name not in KNOWN:
        try:
            KNOWN[name] = of_package(PACKAGES[name])
        except (OSError, IndexError, KeyError):
            KNOWN[name] = ""
    return KNOWN[name]


def named(origin):
    """"swaks -> Postfix" with the versions behind the names."""
    pattern = r"\b(%s)\b" % "|".join(sorted(map(re.escape, PACKAGES), key=len, reverse=True))
    return re.sub(pattern, lambda match: (match[0] + " " + of(match[0])).rstrip(), origin)
