"""Real TLS for dialogue scripts: certificates made with openssl when they are first needed, and handshakes between two
ends of Python's ssl module, byte for byte as OpenSSL writes them.

Captures are dated 2023-11-14 and OpenSSL's own checks use today's clock, so `good` certificates live from 2020 to 2045.
"""
import atexit
import os
import shutil
import ssl
import subprocess
import tempfile
import warnings

CONFIG = """
[ca]
default_ca = test
[test]
dir = .
new_certs_dir = .
database = index
serial = serial
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
organizationName = optional
commonName = supplied
[req]
distinguished_name = dn
[dn]
[authority]
basicConstraints = critical,CA:TRUE
subjectKeyIdentifier = hash
"""

# name: (subject, issuer or None for its own, names, first day, last day, how the key is made, digest)
EC = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
RSA = ["rsa:2048"]
WEAK = ["rsa:1024"]
LONG = ("20200101000000Z", "20450101000000Z")
CERTIFICATES = {
    "root": ("/O=Test Trust/CN=Test Root", None, None, *LONG, EC, "sha256"),
    "middle": ("/O=Test Trust/CN=Test Intermediate", "root", None, *LONG, EC, "sha256"),
    "stranger": ("/O=Nobody/CN=Private Root", None, None, *LONG, EC, "sha256"),
    "scanner": ("/O=AVAST Software/CN=Avast Web\\/Mail Shield Root", None, None, *LONG, EC, "sha256"),
    "gateway": ("/O=Example Corp/CN=FortiGate CA", None, None, *LONG, EC, "sha256"),
    "good": ("/CN=mx.example.org", "root", "mx.example.org", *LONG, EC, "sha256"),
    "rsa": ("/CN=mx.example.org", "root", "mx.example.org", *LONG, RSA, "sha256"),
    "expired": ("/CN=mx.example.org", "root", "mx.example.org", "20220101000000Z", "20230601000000Z", EC, "sha256"),
    "outdated": ("/CN=mx.example.org", "root", "mx.example.org", "20230101000000Z", "20240601000000Z", EC, "sha256"),
    "soon": ("/CN=mx.example.org", "root", "mx.example.org", "20230101000000Z", "20231120000000Z", EC, "sha256"),
    "future": ("/CN=mx.example.org", "root", "mx.example.org", "20400101000000Z", "20450101000000Z", EC, "sha256"),
    "other": ("/CN=www.example.com", "root", "www.example.com", *LONG, EC, "sha256"),
    "own": ("/CN=mx.example.org", None, "mx.example.org", *LONG, EC, "sha256"),
    "own-sha1": ("/CN=mx.example.org", None, "mx.example.org", *LONG, EC, "sha1"),
    "unknown": ("/CN=mx.example.org", "stranger", "mx.example.org", *LONG, EC, "sha256"),
    "provider": ("/CN=smtp.gmail.com", "stranger", "smtp.gmail.com", *LONG, EC, "sha256"),
    "leaf": ("/CN=mx.example.org", "middle", "mx.example.org", *LONG, EC, "sha256"),
    "linked": ("/CN=mx.example.org", "middle", "mx.example.org", *LONG, EC, "sha256"),
    "scanned": ("/CN=mx.example.org", "scanner", "mx.example.org", *LONG, EC, "sha256"),
    "opened": ("/CN=mx.example.org", "gateway", "mx.example.org", *LONG, EC, "sha256"),
    "weak": ("/CN=mx.example.org", "root", "mx.example.org", *LONG, WEAK, "sha256"),
    "sha1": ("/CN=mx.example.org", "root", "mx.example.org", *LONG, EC, "sha1"),
    "expired-other": ("/CN=www.example.com", "root", "www.example.com", "20220101000000Z", "20230601000000Z", EC, "sha256"),
}

# What public authorities write into their certificates: where the one in between can be had.
MORE = {"linked": "authorityInfoAccess=caIssuers;URI:http://ca.example.org/intermediate.der"}


class Store:
    """Makes certificates in a folder that lives as long as the process."""

    def __init__(self):
        self.folder = None
        self.made = set()

    def path(self, name):
        return os.path.join(self.folder, name)

    def openssl(self, *words):
        done = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError("openssl %s: %s" % (" ".join(words), done.stderr))

    def begin(self):
        self.folder = tempfile.mkdtemp(prefix="smtpwhy-tls-")
        atexit.register(shutil.rmtree, self.folder, True)
        with open(self.path("config"), "w", encoding="ascii") as out:
            out.write(CONFIG)
        open(self.path("index"), "w", encoding="ascii").close()
        with open(self.path("serial"), "w", encoding="ascii") as out:
            out.write("1000\n")

    def make(self, name):
        """Makes <name>.pem and <name>.key and what they need."""
        if self.folder is None:
            self.begin()
        if name in self.made:
            return
        subject, issuer, names, begin, end, key, digest = CERTIFICATES[name]
        if issuer:
            self.make(issuer)
        extensions = ["-addext", "subjectAltName=DNS:" + names] if names else []
        extensions += ["-addext", MORE[name]] if name in MORE else []
        self.openssl("req", "-new", "-newkey", *key, "-nodes", "-keyout", name + ".key", "-out", name + ".csr",
                     "-subj", subject, "-config", "config", *extensions)
        signer = ["-selfsign", "-keyfile", name + ".key"] if not issuer else ["-cert", issuer + ".pem", "-keyfile", issuer + ".key"]
        self.openssl("ca", "-config", "config", "-batch", "-notext", "-in", name + ".csr", "-out", name + ".pem", "-md", digest,
                     "-startdate", begin, "-enddate", end, *signer, *(["-extensions", "authority"] if not names else []))
        self.made.add(name)

    def chain(self, names):
        """A file with the key of the first and all certificates in order."""
        for name in names:
            self.make(name)
        path = self.path("+".join(names) + ".chain")
        with open(path, "w", encoding="ascii") as out:
            for part in [names[0] + ".key"] + [n + ".pem" for n in names]:
                with open(self.path(part), encoding="ascii") as text:
                    out.write(text.read())
        return path

    def group(self, bits):
        """Parameters for DHE, of DSA's quickly found kind."""
        name = "group-%s.pem" % bits
        if self.folder is None:
            self.begin()
        if name not in self.made:
            self.openssl("dhparam", "-dsaparam", "-out", name, bits)
            self.made.add(name)
        return self.path(name)

    def anchor(self, name="root"):
        self.make(name)
        return self.path(name + ".pem")


STORE = Store()
VERSIONS = {"1.0": ssl.TLSVersion.TLSv1, "1.1": ssl.TLSVersion.TLSv1_1, "1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class End:
    def __init__(self, context, **how):
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, **how)
        self.done = self.failed = False

    def shake(self):
        if self.done or self.failed:
            return
        try:
            self.tls.do_handshake()
            self.done = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self.failed = True


def limit(context, version):
    """One version, or a range such as 1.0-1.2."""
    if version:
        low, _, high = version.partition("-")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            context.minimum_version, context.maximum_version = VERSIONS[low], VERSIONS[high or low]


def extended(record, kind, body):
    """A record with a ClientHello, with one more extension at its end."""
    at = 5 + 4 + 2 + 32
    at += 1 + record[at]
    at += 2 + int.from_bytes(record[at:at + 2], "big")
    at += 1 + record[at]
    extension = kind.to_bytes(2, "big") + len(body).to_bytes(2, "big") + body
    out = bytearray(record + extension)
    for place, size in ((3, 2), (6, 3), (at, 2)):
        out[place:place + size] = (int.from_bytes(out[place:place + size], "big") + len(extension)).to_bytes(size, "big")
    return bytes(out)


class Connection:
    """Both ends of one connection; bytes go where `send(side, bytes)` takes them.

    Options: cert (names joined by +), name (SNI, - = none), trust (root, none = the client does not check), version,
    client and server (versions of one side), cipher, client-cipher, server-cipher, ask (the server wants a client
    certificate), group (bits, for DHE), session (an earlier Connection to take up), check (no = the client does not compare the name),
    ech, early (yes: the hello that is sent has an encrypted part besides, announces early data).
    """

    def __init__(self, options, session=None, contexts=None):
        client, server = contexts or self.contexts(options, session)
        self.server_context = server
        self.more = [(0xFE0D, bytes(64))] if options.get("ech") else [(0x2A, b"")] if options.get("early") else []
        name = options.get("name", "mx.example.org")
        how = {"server_hostname": None if name == "-" else name}
        if session:
            how["session"] = session.client.tls.session
            client = session.client_context
        self.client_context = client
        self.client = End(client, server_side=False, **how)
        self.server = End(server, server_side=True)

    @staticmethod
    def contexts(options, session):
        trust = options.get("trust", "none")
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = trust != "none" and options.get("check", "yes") == "yes"
        client.verify_mode = ssl.CERT_NONE if trust == "none" else ssl.CERT_REQUIRED
        if trust != "none":
            client.load_verify_locations(STORE.anchor(trust))
        server = session.server_context if session else ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        for context, side in ((client, "client"), (server, "server")):
            cipher = options.get(side + "-cipher", options.get("cipher"))
            context.set_ciphers((cipher or "ALL") + ":@SECLEVEL=0")
            limit(context, options.get(side, options.get("version")))
        if not session:
            server.load_cert_chain(STORE.chain(options.get("cert", "good").split("+")))
        if options.get("group"):
            server.load_dh_params(STORE.group(options["group"]))
        if options.get("ask"):
            server.verify_mode = ssl.CERT_REQUIRED if options["ask"] == "required" else ssl.CERT_OPTIONAL
            server.load_verify_locations(STORE.anchor())
        return client, server

    def shake(self, send, flights=99):
        """Runs the handshake for so many flights; each flight is what one side has to say."""
        ends = (self.client, self.server)
        side, idle = 0, 0
        while flights > 0 and idle < 2:
            ends[side].shake()
            said = ends[side].outgoing.read()
            if said:
                send(side, extended(said, *self.more.pop()) if side == 0 and self.more else said)
                ends[1 - side].incoming.write(said)
                flights -= 1
            idle = 0 if said else idle + 1
            side = 1 - side
        self.drain()

    def drain(self):
        """Reads what belongs to no dialogue (tickets)."""
        for end in (self.client, self.server):
            try:
                if end.done:
                    end.tls.read(1 << 20)
            except ssl.SSLError:
                pass

    def write(self, side, data):
        """Cipher text of these bytes."""
        end, other = (self.client, self.server) if side == 0 else (self.server, self.client)
        end.tls.write(data)
        said = end.outgoing.read()
        other.incoming.write(said)
        self.drain()
        return said

    def close(self, side):
        """The close_notify of a side."""
        end = self.client if side == 0 else self.server
        try:
            end.tls.unwrap()
        except ssl.SSLError:
            pass
        return end.outgoing.read()
