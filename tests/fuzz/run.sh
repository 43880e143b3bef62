#!/bin/sh
# run.sh SECONDS - every fuzzer for so long, two at a time, from its corpus in tests/fuzz/corpus/<target>.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-600}
work=build/fuzz/corpus
status=0
one() {
    name=$1
    mkdir -p "$work/$name" "build/fuzz/findings"
    seeds=tests/fuzz/corpus/$name
    [ -d "$seeds" ] || seeds=
    # shellcheck disable=SC2086
    if build/fuzz/tests/fuzz/"$name" -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -artifact_prefix=build/fuzz/findings/"$name"- \
        -print_final_stats=1 "$work/$name" $seeds >"build/fuzz/$name.log" 2>&1; then
        echo "$name: no finding, $(grep -c . "build/fuzz/$name.log") lines of log, $(grep stat::number_of_executed_units "build/fuzz/$name.log" | tr -dc 0-9) runs"
    else
        echo "$name: FINDING, see build/fuzz/$name.log"
        return 1
    fi
}
set -- build/fuzz/tests/fuzz/fuzz_*
while [ $# -gt 0 ]; do
    pids=
    for _ in 1 2; do
        [ $# -gt 0 ] || break
        one "$(basename "$1")" & pids="$pids $!"
        shift
    done
    for pid in $pids; do wait "$pid" || status=1; done
done
exit $status
