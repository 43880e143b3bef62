"""Runs a program many times without loading its libraries each time.

Where SW_STARTER_LIBRARY names the library made of starter.c, each thread of a test has a process of the program that
has not reached main yet, and main runs in forks of it; what the test sees is what subprocess.run would show. Without the
library, and where a run wants something that is decided before main (a variable for the loader, the allocator or a
sanitizer), it is subprocess.run.
"""
import array
import atexit
import os
import selectors
import socket
import struct
import subprocess
import threading

LIBRARY = os.environ.get("SW_STARTER_LIBRARY", "")
BEFORE_MAIN = ("LD_", "MALLOC_", "GLIBC_", "ASAN_", "LSAN_", "UBSAN_", "OPENSSL_", "GNUTLS_")
# Trust anchors of the tests' own. What a machine trusts should not decide what a test sees, and OpenSSL takes 40 ms to read
# its 140 certificates, a quarter of a second under the sanitizers: more than all the rest of a run.
TRUST = {"SSL_CERT_FILE": os.path.join(os.path.dirname(os.path.abspath(__file__)), "anchors.pem"), "SSL_CERT_DIR": "/nonexistent"}
# Under the sanitizers a search for leaks is a third of a run of the program: every so many runs of a thread have one.
LEAKS_EVERY = int(os.environ.get("SW_LEAKS_EVERY", "1"))
PIPE_HOLDS = 60000  # so much can be written before anybody reads
CHUNK = 1 << 16


class Starter:
    def __init__(self, program, leaks):
        self.socket, other = socket.socketpair()
        variables = dict(os.environ, LD_PRELOAD=LIBRARY)
        if not leaks:
            variables["ASAN_OPTIONS"] = variables.get("ASAN_OPTIONS", "") + ":detect_leaks=0"
        with other:
            variables["SW_STARTER"] = str(other.fileno())
            self.process = subprocess.Popen([program], stdin=subprocess.DEVNULL, pass_fds=[other.fileno()], env=variables)

    def close(self):
        """It ends where its socket does; if it still waits for the program, both are killed."""
        self.socket.close()
        try:
            self.process.wait(1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def ask(self, words, variables, folder, fds):
        text = b"".join(os.fsencode(word) + b"\0" for word in (folder, *words, *variables))
        self.socket.sendmsg([struct.pack("=II", len(words), len(variables))],
                            [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
        self.socket.sendall(struct.pack("=I", len(text)) + text)

    def told(self, timeout):
        self.socket.settimeout(timeout)
        answer = self.socket.recv(4, socket.MSG_WAITALL)
        if len(answer) != 4:
            raise ChildProcessError("the starter has ended")
        return os.waitstatus_to_exitcode(struct.unpack("=i", answer)[0])


class Kept(threading.local):
    """The starters of each thread, those that search for leaks and those that do not; the others of a process would wait for
    one another."""

    def __init__(self):
        self.starters = {}
        self.program = None
        self.runs = 0

    def of(self, program):
        if self.program != program:
            self.drop()
            self.program = program
        leaks = self.runs % LEAKS_EVERY == 0
        self.runs += 1
        if leaks not in self.starters:
            self.starters[leaks] = Starter(program, leaks)
            atexit.register(self.starters[leaks].close)
        return self.starters[leaks]

    def drop(self):
        for starter in self.starters.values():
            atexit.unregister(starter.close)
            starter.close()
        self.starters, self.program = {}, None


kept = Kept()


def read_both(ends, timeout):
    """What comes through two pipes, until both have ended."""
    said = {end: [] for end in ends}
    with selectors.DefaultSelector() as waiting:
        for end in ends:
            waiting.register(end, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(timeout)
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                data = os.read(key.fd, CHUNK)
                said[key.fd].append(data)
                if not data:
                    waiting.unregister(key.fd)
    return [b"".join(said[end]) for end in ends]


def through(starter, words, stdin, variables, folder, timeout):
    pipes = [os.pipe() for _ in range(3)]
    (theirs_in, feed), (out, theirs_out), (err, theirs_err) = pipes
    ours, theirs = {feed, out, err}, [theirs_in, theirs_out, theirs_err]
    try:
        os.write(feed, stdin)
        os.close(feed)
        ours.remove(feed)
        starter.ask(words, ["%s=%s" % pair for pair in variables.items()], folder, theirs)
        while theirs:
            os.close(theirs.pop())
        said = read_both((out, err), timeout)
        return starter.told(timeout), *said
    finally:
        for end in (*ours, *theirs):
            os.close(end)


def run(words, stdin=b"", environment=None, cwd=None, timeout=120):
    """As subprocess.run with both outputs kept: (status, output, error), all bytes."""
    variables = dict(os.environ, LC_ALL="C.UTF-8", **TRUST)
    variables.pop("NO_COLOR", None)
    variables.update(environment or {})
    for_loader = [name for name in environment or {} if name.startswith(BEFORE_MAIN)]
    if not LIBRARY or for_loader or len(stdin) > PIPE_HOLDS:
        done = subprocess.run(words, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=variables, cwd=cwd,
                              timeout=timeout, check=False)
        return done.returncode, done.stdout, done.stderr
    try:
        return through(kept.of(words[0]), words, stdin, variables, cwd or os.getcwd(), timeout)
    except (OSError, ValueError):
        kept.drop()
        raise
