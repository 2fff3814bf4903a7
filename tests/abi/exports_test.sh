#!/bin/sh
# SPDX-License-Identifier: MIT
# Every plugin exports tb_plugin_entry and nothing else. Usage: exports_test.sh FOLDER
set -u
failed=0
n=0
for plugin in "$1"/*.so; do
    [ -e "$plugin" ] || continue
    n=$((n + 1))
    # gcov and the sanitizers add symbols of their own
    exported=$(nm -D --defined-only "$plugin" | awk '{print $NF}' | grep -v -E '^(__gcov|__asan|__odr_asan|__ubsan|__tsan)')
    if [ "$exported" != tb_plugin_entry ]; then
        echo "$plugin exports:"
        echo "$exported"
        failed=1
    fi
done
[ "$n" -gt 0 ] || { echo "no plugins in $1"; failed=1; }
[ "$failed" -eq 0 ] && echo "$n plugins export one symbol each"
exit $failed
