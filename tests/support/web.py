"""The workshop of the report page: web/ copied into the build tree, with the packages that package-lock.json pins.

Nothing is installed where the sources are. Without npm, or without a way to its registry (asked once, for a few seconds),
there is no workshop, and whoever wanted it says so and is skipped.
"""
import fcntl
import hashlib
import os
import re
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = os.path.join(ROOT, "web")
PLACE = os.path.join(ROOT, "build", "web")
PATIENCE = 5  # seconds for the registry to answer
KEPT = ("node_modules", ".lock", ".installed")
NO_NETWORK = re.compile(r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|"
                        r"SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER|network")


class Missing(Exception):
    """There is no workshop here, and why."""


def _copy_sources():
    for name in os.listdir(PLACE):
        path = os.path.join(PLACE, name)
        if name not in KEPT:
            shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)
    for name in os.listdir(SOURCES):
        if name in KEPT:
            continue
        path = os.path.join(SOURCES, name)
        copy = shutil.copytree if os.path.isdir(path) else shutil.copy
        copy(path, os.path.join(PLACE, name))


def _why_no_registry():
    """Why the registry cannot be had, or None. By itself npm tries for more than a minute."""
    question = ["npm", "view", "vite", "name", "--prefer-online", "--fetch-retries=0", "--fetch-timeout=%d" % (PATIENCE * 1000)]
    try:
        done = subprocess.run(question, cwd=PLACE, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE + 2)
    except subprocess.TimeoutExpired:
        return "no answer within %d s" % PATIENCE
    said = done.stdout.decode("utf-8", "replace")
    return said.strip().splitlines()[0] if done.returncode != 0 and NO_NETWORK.search(said) else None


def _install(stamp):
    # No scripts of packages are run: what is needed of them are files.
    unreachable = _why_no_registry()
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"] + (["--offline"] if unreachable else []),
                          cwd=PLACE, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode != 0 and (unreachable or NO_NETWORK.search(said)):
        raise Missing("npm cannot reach its registry: " + (unreachable or said.strip().splitlines()[0]))
    if done.returncode != 0:
        raise RuntimeError("npm ci failed:\n" + said)
    with open(os.path.join(PLACE, ".installed"), "w", encoding="ascii") as file:
        file.write(stamp)


def workshop():
    """The directory of it, ready. Raises Missing."""
    if not shutil.which("npm"):
        raise Missing("npm is not installed")
    os.makedirs(PLACE, exist_ok=True)
    with open(os.path.join(PLACE, ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(os.path.join(SOURCES, "package-lock.json"), "rb") as file:
            stamp = hashlib.sha256(file.read()).hexdigest()
        installed = os.path.join(PLACE, ".installed")
        there = ""
        if os.path.exists(installed):
            with open(installed, encoding="ascii") as file:
                there = file.read()
        _copy_sources()
        if there != stamp:
            _install(stamp)
    return PLACE


def npm(place, *arguments):
    """Runs a script of package.json; what it said when it failed, else None."""
    done = subprocess.run(["npm", "run", "--silent", *arguments], cwd=place, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=600)
    return done.stdout.decode("utf-8", "replace") if done.returncode != 0 else None
