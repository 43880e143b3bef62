"""ClickHouse servers of a test: shards on loopback, each with a folder and a configuration of its own."""
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from xml.sax.saxutils import escape

SERVER = shutil.which("clickhouse-server")
CONFIG = """<?xml version="1.0"?>
<yandex>
  <logger><level>warning</level><log>{folder}/log</log><errorlog>{folder}/errors</errorlog></logger>
  <http_port>{http}</http_port><tcp_port>{tcp}</tcp_port><interserver_http_port>{inter}</interserver_http_port>
  <listen_host>127.0.0.1</listen_host><interserver_http_host>127.0.0.1</interserver_http_host>
  <path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path>
  <users_config>{folder}/users.xml</users_config>
  <default_profile>default</default_profile><default_database>default</default_database>
  <mark_cache_size>268435456</mark_cache_size>
  <remote_servers><mail>{shards}</mail></remote_servers>
</yandex>
"""
SHARD = "<shard><replica><host>127.0.0.1</host><port>%d</port><user>between</user><password>%s</password></replica></shard>"
USERS = """<?xml version="1.0"?>
<yandex>
  <profiles><default><load_balancing>in_order</load_balancing></default></profiles>
  <quotas><default/></quotas>
  <users>
    <between><password>{password}</password><profile>default</profile><quota>default</quota>
      <networks><ip>127.0.0.1</ip></networks></between>
    <{user}><password>{password}</password><profile>default</profile><quota>default</quota>
      <networks><ip>127.0.0.1</ip></networks></{user}>
  </users>
</yandex>
"""


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Shard:
    def __init__(self, folder, user, password, http, tcp, inter, shards):
        self.folder, self.user, self.password, self.http, self.tcp = folder, user, password, http, tcp
        self.process = None
        for name in ("data", "tmp"):
            os.makedirs(os.path.join(folder, name))
        with open(os.path.join(folder, "config.xml"), "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=folder, http=http, tcp=tcp, inter=inter, shards=shards))
        with open(os.path.join(folder, "users.xml"), "w", encoding="utf-8") as file:
            file.write(USERS.format(user=user, password=escape(password)))

    def start(self):
        with open(os.path.join(self.folder, "output"), "ab") as output:
            self.process = subprocess.Popen([SERVER, "--config=" + os.path.join(self.folder, "config.xml")],
                                            stdout=output, stderr=output, cwd=self.folder)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.ask("SELECT 1")
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    with open(os.path.join(self.folder, "output"), encoding="utf-8", errors="replace") as said:
                        raise RuntimeError("clickhouse-server does not start: " + said.read()[-2000:]) from None
                time.sleep(0.1)

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def ask(self, query, body=None, **settings):
        """What the server answers; urllib.error.HTTPError when it refuses."""
        parameters = "&".join(["query=" + urllib.request.quote(query)] + ["%s=%s" % item for item in settings.items()])
        request = urllib.request.Request("http://127.0.0.1:%d/?%s" % (self.http, parameters), data=body or b"",
                                         headers={"X-ClickHouse-User": self.user, "X-ClickHouse-Key": self.password})
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read().decode("utf-8", "surrogateescape").strip()


class Cluster:
    """Two servers that know each other as the cluster 'mail'."""

    def __init__(self, folder, user="fleet", password="secret-of-the-fleet"):
        ports = free_ports(6)
        shards = "".join(SHARD % (ports[3 * n + 1], escape(password)) for n in range(2))
        self.shards = [Shard(os.path.join(folder, "shard%d" % n), user, password, *ports[3 * n:3 * n + 3], shards)
                       for n in range(2)]

    def start(self):
        for shard in self.shards:
            shard.start()

    def stop(self):
        for shard in self.shards:
            shard.stop()

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *error):
        self.stop()
