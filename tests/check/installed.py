#!/usr/bin/env python3
"""installed.py BUILD: what `cmake --install` puts somewhere is found by pkg-config, compiles and links, with the shared library and
with the archive, which needs all libraries that smtpwhy.pc names."""
import os
import subprocess
import sys
import tempfile

USER = """
#include <smtpwhy.h>
#include <stdio.h>

static void on_record(void *ctx, const struct sw_record *record)
{
    (void)record;
    ++*(int *)ctx;
}

int main(int argc, char **argv)
{
    char message[200] = "";
    int records = 0;
    struct sw_run_options options = {.record = on_record, .record_ctx = &records};
    struct sw_run *run = sw_run_new(&options, message, sizeof(message));
    if (!run || sw_run_file(run, argv[argc - 1]) != SW_RESULT_OK || sw_run_finish(run) != SW_RESULT_OK)
        return 1;
    sw_run_free(run);
    return records > 1 ? 0 : 2;
}
"""


def call(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode:
        sys.exit("%s: %s" % (" ".join(command), (done.stdout + done.stderr)[-3000:]))
    return done.stdout


def main():
    build = os.path.abspath(sys.argv[1])
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    capture = os.path.join(root, "pcaps", "auth", sorted(n for n in os.listdir(os.path.join(root, "pcaps", "auth")) if n.endswith(".pcap"))[0])
    with tempfile.TemporaryDirectory() as folder:
        call("cmake", "--install", build, env=dict(os.environ, DESTDIR=folder))
        package, = [os.path.join(path, name) for path, _, names in os.walk(folder) for name in names if name == "smtpwhy.pc"]
        libraries = os.path.dirname(os.path.dirname(package))
        environment = dict(os.environ, PKG_CONFIG_PATH=os.path.dirname(package), LD_LIBRARY_PATH=libraries)
        place = ["--define-variable=prefix=" + folder + call("pkg-config", "--variable=prefix", "smtpwhy", env=environment).strip()]
        source = os.path.join(folder, "user.c")
        with open(source, "w", encoding="ascii") as file:
            file.write(USER)
        flags = call("pkg-config", *place, "--cflags", "smtpwhy", env=environment).split()
        shared = call("pkg-config", *place, "--libs", "smtpwhy", env=environment).split()
        whole = "-Wl,--whole-archive,%s,--no-whole-archive" % os.path.join(libraries, "libsmtpwhy.a")  # not only what this user needs
        archive = [whole if word == "-lsmtpwhy" else word
                   for word in call("pkg-config", *place, "--static", "--libs", "smtpwhy", env=environment).split()]
        for name, words in (("shared", shared), ("archive", archive)):
            program = os.path.join(folder, name)
            call("cc", "-Wall", "-Werror", "-o", program, source, *flags, *words)
            call(program, capture, env=environment)


if __name__ == "__main__":
    main()
