"""Sendmail, unpacked beside Postfix and run from a configuration made with its own m4 files."""
import os

from net import sh
from servers import unpack

MC = """divert(0)dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `mx.example.org')dnl
define(`STATUS_FILE', `{folder}/status')dnl
define(`QUEUE_DIR', `{folder}/queue')dnl
define(`confPID_FILE', `{folder}/pid')dnl
define(`ALIAS_FILE', `')dnl
define(`confCW_FILE', `-o {folder}/none')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe,DontWarnForwardFileInUnsafeDirPath')dnl
define(`confTO_IDENT', `0')dnl
define(`confTRUSTED_USER', `root')dnl
define(`confRUN_AS_USER', `root')dnl
define(`confPRIVACY_FLAGS', `{privacy}')dnl
define(`confDELIVERY_MODE', `background')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
define(`LOCAL_MAILER_PATH', `/bin/true')dnl
{more}
DAEMON_OPTIONS(`Port={port}, Name=MTA')dnl
MAILER(local)dnl
MAILER(smtp)dnl
LOCAL_CONFIG
Cwexample.org
"""


def sendmail(lab, port=25, more="", privacy=""):
    cf = os.path.join(unpack("sendmail-cf"), "usr/share/sendmail/cf")
    program = os.path.join(unpack("sendmail-bin"), "usr/libexec/sendmail/sendmail")
    folder = os.path.join(lab.folder, "sendmail")
    os.makedirs(os.path.join(folder, "queue"))
    with open(os.path.join(folder, "lab.mc"), "w", encoding="utf-8") as file:
        file.write("include(`%s/m4/cf.m4')dnl\n" % cf + MC.format(folder=folder, port=port, more=more, privacy=privacy))
    sh("m4 -D_CF_DIR_=%s/ lab.mc > sendmail.cf" % cf, cwd=folder)
    os.chmod(os.path.join(folder, "queue"), 0o700)
    with open(os.path.join(folder, "hosts"), "w", encoding="utf-8") as file:
        file.write("127.0.0.1 localhost\n198.51.100.25 mx.example.org mx\n")
    # without a full host name it sleeps for a minute before it starts
    own_name = ["unshare", "-u", "-m", "sh", "-c", "hostname mx.example.org; mount --bind %s/hosts /etc/hosts; exec \"$@\"" % folder, "sh"]
    lab.spawn(lab.server, own_name + [program, "-C", os.path.join(folder, "sendmail.cf"), "-bD", "-O", "LogLevel=0"])
    lab.wait_port(port)
