"""Dovecot: submission, LMTP, POP3, IMAP, and the logins of Postfix."""
import os

from servers import odd

CONFIG = """base_dir = {folder}/run
log_path = {folder}/log
state_dir = {folder}/state
ssl = no
disable_plaintext_auth = {tls_only}
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/%u
mail_uid = 65534
mail_gid = 65534
first_valid_uid = 1
passdb {{
  driver = static
  args = password=lab-Secret-4711
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home={folder}/mail/%u {check}
}}
protocols = {protocols}
submission_host = mx.example.org
hostname = mx.example.org
submission_relay_host = 127.0.0.1
submission_relay_port = 2500
service auth {{
  unix_listener {folder}/login {{
    mode = 0666
  }}
}}
service submission-login {{
  inet_listener submission {{
    port = {port}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    port = {port}
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {port}
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
}}
{more}
"""


def dovecot(lab, protocols, port, tls_only="no", mechanisms="plain login", more="", check="allow_all_users=yes"):
    """With protocols "" it only answers logins for Postfix, at the socket that is returned."""
    folder = os.path.join(lab.folder, "dovecot")
    os.makedirs(os.path.join(folder, "mail"))
    os.chown(os.path.join(folder, "mail"), 65534, 65534)
    path = os.path.join(folder, "dovecot.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(CONFIG.format(folder=folder, protocols=protocols or "none", port=port, tls_only=tls_only, mechanisms=mechanisms, more=more,
                                 check=check))
    if protocols == "submission":
        odd(lab, {"EHLO": "250-relay.example.org\n250-PIPELINING\n250 8BITMIME"}, 2500)
    lab.spawn(lab.server, ["dovecot", "-F", "-c", path])
    if protocols:
        lab.wait_port(port)
    else:
        lab.wait_path(os.path.join(folder, "login"))
    return os.path.join(folder, "login")


def postfix_logins(lab, mechanisms="plain login", check="allow_all_users=yes"):
    """Settings that let Postfix ask Dovecot."""
    return {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": dovecot(lab, "", 0, mechanisms=mechanisms, check=check)}
