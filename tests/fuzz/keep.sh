#!/bin/sh
# keep.sh [TARGET...] - what the fuzzers found and what adds to the coverage of the seeds goes into tests/fuzz/corpus, the
# smallest inputs first, as long as a target's stay below 16 kB together and each below 2 kB.
set -eu
cd "$(dirname "$0")/../.."
targets=$*
[ -n "$targets" ] || targets=$(ls build/fuzz/corpus)
for name in $targets; do
    small=build/fuzz/small/$name merged=build/fuzz/merged/$name kept=tests/fuzz/corpus/$name
    rm -rf "$small" "$merged" && mkdir -p "$small" "$merged" "$kept"
    find "build/fuzz/corpus/$name" "$kept" -type f -size -2048c -exec cp -n {} "$small" \;
    build/fuzz/tests/fuzz/"$name" -merge=1 "$merged" "$small" >"build/fuzz/$name.merge.log" 2>&1
    # What was kept is among them, if it still adds something. Inputs with a name were put there by hand.
    find "$kept" -type f -regextype egrep -regex '.*/[0-9a-f]{40}' -delete
    room=16384
    find "$merged" -type f -printf '%s %p\n' | sort -n | while read -r size path; do
        room=$((room - size))
        [ $room -ge 0 ] || break
        cp "$path" "$kept/"
    done
    echo "$name: $(find "$kept" -type f | wc -l) inputs, $(find "$kept" -type f -printf '%s\n' | awk '{ n += $1 } END { print n + 0 }') bytes"
done
