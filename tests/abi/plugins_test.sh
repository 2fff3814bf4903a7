#!/bin/sh
# SPDX-License-Identifier: MIT
# Every built plugin passes the conformance checker. Usage: plugins_test.sh PROGRAM FOLDER [PLUGIN REGEX]
# With a regex that plugin's tests are only those whose "<test> <id>" matches.
set -u
failed=0
n=0
for plugin in "$2"/*.so; do
    [ -e "$plugin" ] || continue
    n=$((n + 1))
    only=.
    [ "${plugin##*/}" = "${3-}.so" ] && only=$4
    "$1" check --only="$only" "$plugin" > "${TMPDIR:-/tmp}/tb-check-$$" || failed=1
    grep -v '^pass' "${TMPDIR:-/tmp}/tb-check-$$"
done
rm -f "${TMPDIR:-/tmp}/tb-check-$$"
[ "$n" -gt 0 ] || { echo "no plugins in $2"; failed=1; }
exit $failed
