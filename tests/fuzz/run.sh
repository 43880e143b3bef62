#!/bin/sh
# run.sh SECONDS [TARGET...] - each fuzzer for so long, as many at a time as there are cores, from what earlier runs
# found (build/fuzz/corpus), the corpora in tests/fuzz/corpus and seeds made of the transcripts and pcaps/. No input may
# take more than a second, five under the sanitizers (SW_FUZZ_TIMEOUT, for a machine that has other work beside it).
# "afl" among the targets is afl.sh; without targets it is left out. What was done is noted in tests/fuzz/ledger.tsv
# (ledger.py adds it up).
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-600}
[ $# -gt 0 ] && shift
targets=$*
[ -n "$targets" ] || targets=$(cd build/fuzz/tests/fuzz && ls -d fuzz_* | grep -v '\.')
python3 tests/fuzz/seed.py build/fuzz/seeds
mkdir -p build/fuzz/findings
rm -f build/fuzz/failed
export seconds
printf '%s\n' $targets | xargs -P "$(nproc)" -I NAME sh -c '
    name=NAME work=build/fuzz/corpus/$name log=build/fuzz/$name.log
    [ "$name" = afl ] && { sh tests/fuzz/afl.sh "$seconds" || touch build/fuzz/failed; exit 0; }
    mkdir -p "$work" "build/fuzz/seeds/$name"
    kept=tests/fuzz/corpus/$name
    [ -d "$kept" ] || kept=
    findings=0
    build/fuzz/tests/fuzz/"$name" -max_total_time="$seconds" -timeout="${SW_FUZZ_TIMEOUT:-5}" -rss_limit_mb=2048 -dict=tests/fuzz/smtp.dict \
        -artifact_prefix=build/fuzz/findings/"$name"- -print_final_stats=1 "$work" "build/fuzz/seeds/$name" $kept >"$log" 2>&1 || findings=$?
    if [ $findings -ge 128 ]; then # by hand, or for want of memory: that tells nothing of the input
        echo "$name: ended by a signal, not noted"
        touch build/fuzz/failed
        exit 0
    fi
    [ $findings = 72 ] && findings=0 # interrupted (Ctrl-C): what was done until then counts
    [ $findings = 0 ] || findings=1
    runs=$(sed -n "s/^stat::number_of_executed_units: *//p" "$log" | tail -1)
    times >"$log.times" # its last line: user and system time of the children, as 9m59.87s
    cpu=$(awk "END { for (i = 1; i <= NF; i++) { split(\$i, t, \"m\"); s += t[1] * 60 + t[2] } printf \"%d\", s }" "$log.times")
    python3 tests/fuzz/ledger.py add "$name" "$cpu" "${runs:-0}" $findings
    if [ $findings = 0 ]; then
        echo "$name: no finding in $seconds s, $runs runs, $(grep -o "cov: [0-9]*" "$log" | tail -1)"
    else
        echo "$name: FINDING, see $log and build/fuzz/findings"
        touch build/fuzz/failed
    fi'
[ ! -e build/fuzz/failed ]
