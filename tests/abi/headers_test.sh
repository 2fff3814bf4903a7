#!/bin/sh
# SPDX-License-Identifier: MIT
# Every public header compiles alone, in each language a plugin may be written in, without a warning.
# Usage: headers_test.sh INCLUDE_FOLDER
set -u
include=$1
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
failed=0

# try COMPILER LANGUAGE STANDARD HEADER
try()
{
    printf '#include <trpo-bench/%s>\n#include <trpo-bench/%s>\n' "$4" "$4" > "$folder/alone.$2"
    if ! "$1" "-std=$3" -pedantic -Wall -Wextra -Wpadded -Werror -fsyntax-only -I "$include" \
        "$folder/alone.$2" 2> "$folder/log"; then
        echo "$4 as $3 with $1:"
        cat "$folder/log"
        failed=1
    fi
}

n=0
for path in "$include"/trpo-bench/*.h; do
    header=$(basename "$path")
    for standard in c99 c11 c17; do
        for compiler in gcc clang; do try "$compiler" c "$standard" "$header"; done
    done
    for standard in c++11 c++17 c++20; do
        for compiler in g++ clang++; do try "$compiler" cpp "$standard" "$header"; done
    done
    n=$((n + 1))
done
[ "$n" -ge 4 ] || { echo "only $n headers in $include/trpo-bench"; failed=1; }
[ "$failed" -eq 0 ] && echo "$n headers are clean in 6 languages with 2 compilers"
exit $failed
