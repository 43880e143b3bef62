"""Two hosts in network namespaces, joined by a cable, and a recorder on the client's end of it."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CLIENT, SERVER = "192.0.2.10", "198.51.100.25"
CLIENT6, SERVER6 = "2001:db8:1::10", "2001:db8:1::25"
NAMES = "198.51.100.53"  # where a scenario puts a name server that the client asks
MORE = ("203.0.113.1", "203.0.113.2", "203.0.113.3")  # further addresses of the server's host


def sh(command, check=True, **more):
    return subprocess.run(command, shell=isinstance(command, str), check=check, capture_output=True, text=True, **more)


class Lab:
    """One recording: namespaces, processes and a scratch folder that go away together."""

    def __init__(self, number, target):
        # the process id keeps two runs at the same time apart
        self.client, self.server = "lab%d-%dc" % (os.getpid(), number), "lab%d-%ds" % (os.getpid(), number)
        self.between = "lab%d-%db" % (os.getpid(), number)
        self.target = target
        self.processes = []
        self.cleanups = []
        self.recorder = None
        self.folder = tempfile.mkdtemp(prefix="smtpwhy-lab-")
        self.keylog = os.path.join(self.folder, "keys")  # where clients that can do it write their TLS keys
        os.chmod(self.folder, 0o755)

    def __enter__(self):
        self.destroy_namespaces()
        for name in (self.client, self.server):
            sh("ip netns add %s" % name)
            # a name server that refuses at once: servers that look the client up do not hang
            self.resolver(name, "127.0.0.1")
        sh("ip link add c0 netns %s type veth peer name s0 netns %s" % (self.client, self.server))
        return self.addresses()

    def addresses(self):
        for name, dev, v4, v6 in ((self.client, "c0", CLIENT, CLIENT6), (self.server, "s0", SERVER, SERVER6)):
            for command in ("link set lo up", "link set %s up" % dev, "addr add %s/24 dev %s" % (v4, dev),
                            "-6 addr add %s/64 dev %s nodad" % (v6, dev), "route add default dev %s" % dev):
                sh("ip -n %s %s" % (name, command))
            sh("ip netns exec %s ethtool -K %s tx off gso off gro off tso off" % (name, dev), check=False)
            sh("ip netns exec %s sysctl -qw net.ipv4.ip_unprivileged_port_start=0" % name, check=False)
            sh("ip netns exec %s sysctl -qw net.ipv4.tcp_syn_linear_timeouts=0" % name, check=False)
        for address in (NAMES,) + MORE:
            sh("ip -n %s addr add %s/32 dev s0" % (self.server, address))
        return self

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        for cleanup in self.cleanups:
            cleanup()
        self.destroy_namespaces()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- what may lie between the two ---
    def divide(self):
        """A third host in the middle, with the cards b0 to the client and b1 to the server."""
        sh("ip netns add %s" % self.between)
        sh("ip -n %s link del c0" % self.client)
        sh("ip netns exec %s sysctl -qw net.ipv6.conf.default.disable_ipv6=1" % self.between)
        for host, dev, ours in ((self.client, "c0", "b0"), (self.server, "s0", "b1")):
            sh("ip link add %s netns %s type veth peer name %s netns %s" % (dev, host, ours, self.between))
            sh("ip -n %s link set %s up" % (self.between, ours))
            sh("ip netns exec %s ethtool -K %s tx off gso off gro off tso off" % (self.between, ours), check=False)
        self.addresses()

    def cable(self, *faults):
        """A cable that spoils what goes through it: see cable.py."""
        self.divide()
        process = self.spawn(self.between, ["/usr/bin/python3", os.path.join(HERE, "cable.py"), "b0", "b1", json.dumps(faults)])
        time.sleep(0.5)
        return process

    def router(self, mtu=1500):
        """A router between two networks; its far side may take only small packets."""
        self.divide()
        on = lambda host, command: sh("ip -n %s %s" % (host, command))  # noqa: E731
        sh("ip netns exec %s sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.all.forwarding=1"
           % self.between)
        for command in ("link set lo up", "link set b1 mtu %d" % mtu, "addr add 192.0.2.1/24 dev b0", "addr add 198.51.100.1/24 dev b1",
                        "-6 addr add 2001:db8:1::1/64 dev b0 nodad"):
            on(self.between, command)
        for address in MORE:
            on(self.between, "route add %s via 198.51.100.25" % address)
        for host, gateway in ((self.client, "192.0.2.1"), (self.server, "198.51.100.1")):
            on(host, "route replace default via %s" % gateway)
        on(self.client, "-6 route replace default via 2001:db8:1::1")

    def on_between(self, command):
        return sh("ip netns exec %s %s" % (self.between, command))

    def destroy_namespaces(self):
        for name in (self.client, self.server, self.between):
            sh("ip netns pids %s | xargs -r kill -9" % name, check=False)
            sh("ip netns del %s" % name, check=False)
            shutil.rmtree("/etc/netns/%s" % name, ignore_errors=True)

    @staticmethod
    def resolver(name, *addresses, options="attempts:1 timeout:1", more=""):
        os.makedirs("/etc/netns/%s" % name, exist_ok=True)
        with open("/etc/netns/%s/resolv.conf" % name, "w", encoding="utf-8") as file:
            file.write("".join("nameserver %s\n" % address for address in addresses) + "options %s\n%s" % (options, more))

    def offload(self):
        """Back on: then the recorder sees segments larger than a packet may be."""
        for name, dev in ((self.client, "c0"), (self.server, "s0")):
            sh("ip netns exec %s ethtool -K %s tx on gso on gro on tso on" % (name, dev), check=False)

    # --- processes ---
    def spawn(self, host, command, **more):
        process = subprocess.Popen(["ip", "netns", "exec", host] + command, start_new_session=True,
                                   stdin=more.pop("stdin", subprocess.DEVNULL), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, **more)
        self.processes.append(process)
        return process

    def run(self, command, stdin="", timeout=90):
        """A client program; what it prints and how it ends does not matter, the packets do."""
        try:
            return subprocess.run(["ip", "netns", "exec", self.client, "env", "SSLKEYLOGFILE=" + self.keylog] + command, input=stdin, text=True, timeout=timeout,
                                  capture_output=True, check=False)
        except subprocess.TimeoutExpired:
            return None

    def on_server(self, command):
        return sh("ip netns exec %s %s" % (self.server, command))

    def on_client(self, command):
        return sh("ip netns exec %s %s" % (self.client, command))

    def wait_port(self, port, seconds=20, kind="t"):
        """Until something listens; asked of the server's own tables, so that nothing of it is recorded."""
        end = time.time() + seconds
        while time.time() < end:
            if any(sh("ip netns exec %s ss -Hl%sn 'sport = :%d'" % (host, kind, port), check=False).stdout.strip()
                   for host in (self.server, self.client)):
                return
            time.sleep(0.1)
        raise RuntimeError("nothing listens on port %d" % port)

    def wait_path(self, path, seconds=20):
        end = time.time() + seconds
        while not os.path.exists(path):
            if time.time() > end:
                raise RuntimeError("%s does not appear" % path)
            time.sleep(0.1)

    def drop(self, rule, where="server"):
        """A firewall that drops what an nftables rule describes, from now on."""
        on = self.on_server if where == "server" else self.on_client
        on("nft add table ip f")
        on("nft add chain ip f i '{ type filter hook input priority 0; }'")
        on("nft add rule ip f i %s drop" % rule)

    def end_server_children(self):
        """Asks the processes that serve connections to end, and not their parent."""
        parents = [str(process.pid) for process in self.processes]
        for line in sh("ip netns pids %s" % self.server).stdout.split():
            if line not in parents:
                os.kill(int(line), signal.SIGTERM)

    # --- recording ---
    def record(self, expression="", interface="c0", nano=False, snaplen=0, host=None):
        if self.target.endswith(".pcapng"):
            command = ["dumpcap", "-q", "-i", interface, "-w", self.target + ".tmp"] + (["-f", expression] if expression else [])
        else:
            command = ["tcpdump", "-i", interface, "-s", str(snaplen), "-U", "-n", "--immediate-mode", "-w", self.target + ".tmp"]
            command += ["--time-stamp-precision=nano"] if nano else []
            command += [expression] if expression else []
        self.recorder = subprocess.Popen(["ip", "netns", "exec", host or self.client] + command, stdout=subprocess.DEVNULL,
                                         stderr=subprocess.PIPE)
        for line in self.recorder.stderr:
            if b"listening" in line or b"File:" in line:
                break
        time.sleep(0.2)

    def stop(self, settle=0.5):
        """Ends the recording; the file keeps its name.tmp until all recordings of the run have ended."""
        time.sleep(settle)
        if not self.recorder:
            return
        self.recorder.send_signal(signal.SIGINT)
        self.recorder.wait(timeout=20)
        self.recorder = None
