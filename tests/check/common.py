"""What the checks share: where the tree is, which files belong to it, and how a violation is told."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
SKIPPED = 77  # the exit status with which a test says so


def installed(program):
    if shutil.which(program):
        return True
    print("skipped: %s is not installed" % program)
    return False


def sources(root, endings=(".c", ".h", ".def"), below=("src", "dissectors")):
    for top in below:
        for folder, _, files in sorted(os.walk(os.path.join(root, top))):
            for name in sorted(files):
                if name.endswith(endings):
                    yield os.path.relpath(os.path.join(folder, name), root)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        return file.read()


def room_of(path):
    parts = path.split("/")
    if parts[0] == "dissectors":
        return "dissectors"
    return parts[1] if len(parts) > 2 else "smtpwhy.h"


def copy_tree():
    """A copy of the sources to plant violations in, without the thousands of files in which none is planted."""
    copy = tempfile.mkdtemp(prefix="smtpwhy-check-")
    for top in ("src", "dissectors", "tests", "pcaps", "docs"):
        if os.path.isdir(os.path.join(ROOT, top)):
            shutil.copytree(os.path.join(ROOT, top), os.path.join(copy, top),
                            symlinks=True, ignore=shutil.ignore_patterns("*.pcap", "*.pcapng", "*.keys", "golden", "corpus", "__pycache__", ".*"))
    for name in (".clang-format", ".clang-tidy"):
        shutil.copy(os.path.join(ROOT, name), copy)
    return copy


def state(root):
    """Of every file, what changes when it is written to."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            found[os.path.relpath(path, root)] = info.st_mtime_ns, info.st_size, info.st_ino
    return found


def restore(copy, before):
    """Takes back what was done to a copy since then."""
    after = state(copy)
    for path in after.keys() - before.keys():
        os.unlink(os.path.join(copy, path))
    for path in before.keys():
        if after.get(path) != before[path]:
            shutil.copy2(os.path.join(ROOT, path), os.path.join(copy, path))
            info = os.lstat(os.path.join(copy, path))
            before[path] = info.st_mtime_ns, info.st_size, info.st_ino


def plant(root, path, text, at_end=True):
    full = os.path.join(root, path)
    old = read(root, path) if os.path.exists(full) else ""
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as file:
        file.write(old + text if at_end else text + old)


def ndpi_flags():
    """Where nDPI's headers are: not in the compiler's own path."""
    flags = subprocess.run(["pkg-config", "--cflags", "libndpi"], capture_output=True, text=True, check=True).stdout.split()
    return [flag for word in flags for flag in ("-isystem", word[2:]) if word.startswith("-I")]


def compile_object(root, path, out):
    subprocess.run(["gcc"] + ndpi_flags() + ["-std=c17", "-D_DEFAULT_SOURCE", "-O1", "-fno-pic", "-fno-pie", "-Isrc", "-I.", "-c", path, "-o", out], cwd=root, check=True)


def main(check, plants):
    """check(root) yields violations; plants: list of (name, function(root)) that must make it fail."""
    problems = list(check(ROOT))
    for problem in problems:
        print(problem)
    copy = copy_tree() if "--self-test" in sys.argv else None
    if copy:
        before = state(copy)
        for name, function in plants:
            function(copy)
            found = list(check(copy))
            restore(copy, before)
            if len(found) <= len(problems):
                print("the check does not notice: %s" % name)
                problems.append(name)
            else:
                print("noticed, as it should: %s" % name)
        shutil.rmtree(copy)
    sys.exit(1 if problems else 0)
