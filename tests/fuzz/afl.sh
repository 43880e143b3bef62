#!/bin/sh
# afl.sh SECONDS - AFL++ (Debian's afl++) on the program itself, with whole captures as files. No input may take more than
# a second. Findings: build/afl/out/default/crashes and hangs.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-600}
command -v afl-fuzz >/dev/null 2>&1 || { echo "afl: not installed (apt-get install afl++)"; exit 1; }
cmake -G Ninja -B build/afl -DCMAKE_C_COMPILER=afl-clang-fast -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBUILD_TESTING=OFF >/dev/null
AFL_QUIET=1 cmake --build build/afl --target smtpwhy -- --quiet
[ -d build/fuzz/seeds/fuzz_run ] || python3 tests/fuzz/seed.py build/fuzz/seeds
rm -rf build/afl/in && mkdir -p build/afl/in
# Small ones: every byte is tried.
find build/fuzz/seeds/fuzz_run -type f -size -8k | LC_ALL=C sort | awk 'NR % 8 == 1' | head -60 | while read -r seed; do cp "$seed" build/afl/in/; done
# Seconds of the second line that times(1) of the shell prints: user and system time of the children so far.
seconds_of() { awk 'NR == 2 { for (i = 1; i <= NF; i++) { split($i, t, "m"); s += t[1] * 60 + t[2] } printf "%d", s }' "$1"; }
times >build/afl/before
AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_AUTORESUME=1 AFL_NO_AFFINITY=1 \
    afl-fuzz -V "$seconds" -t 1000 -m none -i build/afl/in -o build/afl/out -- build/afl/smtpwhy -o json:/dev/null @@ >build/afl/log 2>&1
times >build/afl/after # not in $(): a subshell has children of its own
value() { sed -n "s/^$1 *: *//p" build/afl/out/default/fuzzer_stats; }
found=$(($(value saved_crashes) + $(value saved_hangs)))
python3 tests/fuzz/ledger.py add afl $(($(seconds_of build/afl/after) - $(seconds_of build/afl/before))) "$(value execs_done)" "$found"
echo "afl: $found findings in $seconds s, $(value execs_done) runs, $(value corpus_count) inputs kept"
[ "$found" = 0 ]
