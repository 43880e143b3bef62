"""A Slurm of one node on loopback, for one test: munged, slurmctld and slurmd, with all they keep in a folder."""
import os
import shutil
import socket
import subprocess
import time
import unittest

from clickhouse import free_ports

PROGRAMS = [shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin")
            for name in ("munged", "slurmctld", "slurmd", "sbatch")]
CONFIG = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={control}
SlurmdPort={node}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4096
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def installed():
    return all(PROGRAMS)


class Slurm:
    def __init__(self, folder):
        self.folder, self.processes = folder, []
        for name in (".", "state", "spool"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        os.chmod(folder, 0o711)
        control, node = free_ports(2)
        self.host = socket.gethostname().split(".")[0]
        with open(os.path.join(folder, "munge.key"), "wb") as file:
            os.chmod(file.fileno(), 0o600)
            file.write(os.urandom(1024))
        self.config = os.path.join(folder, "slurm.conf")
        with open(self.config, "w", encoding="ascii") as file:
            user = subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()
            file.write(CONFIG.format(host=self.host, user=user, folder=folder, control=control, node=node, cpus=os.cpu_count()))
        self.environment = {"SLURM_CONF": self.config}

    def begin(self, *command):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder,
                                                   env=dict(os.environ, **self.environment)))

    def __enter__(self):
        munged, slurmctld, slurmd, _ = PROGRAMS
        place = lambda name: os.path.join(self.folder, name)
        try:
            self.begin(munged, "--foreground", "--force", "--key-file=" + place("munge.key"), "--socket=" + place("munge.socket"),
                       "--pid-file=" + place("munged.pid"), "--log-file=" + place("munged.log"), "--seed-file=" + place("munge.seed"))
            self.wait(lambda: os.path.exists(place("munge.socket")))
            self.begin(slurmctld, "-D", "-f", self.config)
            self.begin(slurmd, "-D", "-f", self.config)
            self.wait(lambda: b" idle" in subprocess.run(["sinfo", "-h"], env=dict(os.environ, **self.environment),
                                                         capture_output=True, check=False).stdout)
        except BaseException:
            self.__exit__()
            raise
        return self

    def wait(self, what):
        deadline = time.monotonic() + 60
        while not what():
            if time.monotonic() > deadline or any(p.poll() is not None for p in self.processes):
                with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as said:
                    words = said.read()
                if "Unable to initialize cgroup plugin" in words:  # a container that is given no cgroup
                    raise unittest.SkipTest("slurmd wants /sys/fs/cgroup, which is not there")
                raise RuntimeError("Slurm does not start: " + words[-2000:])
            time.sleep(0.2)

    def __exit__(self, *error):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
