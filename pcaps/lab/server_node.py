"""Servers and a client that run in Node.js: nodemailer's smtp-server and Haraka."""
import json
import os
import threading

from net import sh
from servers import UNPACKED, dns

FOLDER = os.path.join(UNPACKED, "node")
LOCK = threading.Lock()

SMTP_SERVER = """
const { SMTPServer } = require(%(modules)r + '/smtp-server');
const options = Object.assign(%(options)s, { logger: false,
  onAuth(auth, session, callback) {
    if (auth.username === 'anna@example.org' && auth.password === 'lab-Secret-4711') callback(null, { user: auth.username });
    else callback(new Error('Invalid username or password'));
  },
  onData(stream, session, callback) { stream.on('data', () => {}); stream.on('end', () => callback(stream.sizeExceeded
    ? Object.assign(new Error('Message exceeds fixed maximum message size'), { responseCode: 552 }) : null, 'Message queued')); } });
new SMTPServer(options).listen(%(port)d, '0.0.0.0');
"""

NODEMAILER = """
const nodemailer = require(%(modules)r + '/nodemailer');
const transport = nodemailer.createTransport(Object.assign({ host: %(host)r, port: 25, name: 'pc.example.net', ignoreTLS: true }, %(options)s));
const mail = Object.assign({ from: 'anna@example.net', to: 'bob@example.org', subject: 'Hello', text: 'Hi Bob' }, %(mail)s);
transport.sendMail(mail, () => transport.close());
"""


def modules():
    with LOCK:  # several recordings may want it at once
        if not os.path.isdir(os.path.join(FOLDER, "node_modules", "Haraka")):
            os.makedirs(FOLDER, exist_ok=True)
            sh("npm install --silent --no-audit --no-fund --prefix . nodemailer@6 smtp-server@3 Haraka@3", cwd=FOLDER)
    return os.path.join(FOLDER, "node_modules")


def smtp_server(lab, port=25, **options):
    program = SMTP_SERVER % {"modules": modules(), "options": json.dumps(dict({"disabledCommands": ["STARTTLS"], "name": "mx.example.org"}, **options)),
                             "port": port}
    lab.spawn(lab.server, ["node", "-e", program])
    lab.wait_port(port)


def haraka(lab, port=25, plugins=("queue/discard",), config=None):
    dns(lab, {"10.2.0.192.in-addr.arpa/PTR": ["pc.example.net"], "pc.example.net/A": ["192.0.2.10"]})  # it looks clients up before it greets
    folder = os.path.join(lab.folder, "haraka")
    os.makedirs(os.path.join(folder, "config"))
    files = {"smtp.ini": "listen=0.0.0.0:%d\nnodes=0\n" % port, "plugins": "\n".join(("rcpt_to.in_host_list",) + tuple(plugins)) + "\n",
             "host_list": "example.org\n", "me": "mx.example.org\n", "log.ini": "[main]\nlevel=error\n"}
    with open(os.path.join(modules(), "Haraka", "config", "connection.ini"), encoding="utf-8") as file:
        files["connection.ini"] = file.read()
    files.update(config or {})
    for name, text in files.items():
        with open(os.path.join(folder, "config", name), "w", encoding="utf-8") as file:
            file.write(text)
    lab.spawn(lab.server, ["node", os.path.join(modules(), "Haraka", "bin", "haraka"), "-c", folder],
              env=dict(os.environ, HARAKA_TEST_DIR="", YES_REALLY_DO_DISCARD="1"))
    lab.wait_port(port)


def nodemailer(lab, options=None, mail=None, host="198.51.100.25"):
    lab.run(["node", "--tls-keylog=" + lab.keylog, "-e", NODEMAILER % {"modules": modules(), "host": host, "options": json.dumps(options or {}), "mail": json.dumps(mail or {})}],
            timeout=60)
