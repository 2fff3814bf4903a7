#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# clang-tidy over every file that the build compiles; any warning is a failure. The checks and why are in .clang-tidy.
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/lint.sh [-p BUILD] [-j N] [FILE...]

Runs clang-tidy (version 14, Debian 12) on FILE..., or on all files of BUILD/compile_commands.json, N at a time.
A file that was clean is not looked at again until it, a header it includes or .clang-tidy changes.

  -p BUILD   a configured build folder (default: build/dev)
  -j N       number of parallel processes (default: one per core)
END
}

here=${BASH_SOURCE[0]%/*}
[[ $here == "${BASH_SOURCE[0]}" ]] && here=.
root=$(cd "$here/.." && pwd)
build=$root/build/dev
jobs=$(nproc)
while getopts 'p:j:h-:' option; do
  case $option in
    p) build=$(cd "$OPTARG" && pwd) ;;
    j) jobs=$OPTARG ;;
    h) usage; exit 0 ;;
    -) [[ $OPTARG == help ]] || { echo "lint.sh: unknown argument \"--$OPTARG\"; see scripts/lint.sh --help" >&2; exit 2; }
       usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
exec python3 "$root/tests/tools/lint.py" --root "$root" --build "$build" --jobs "$jobs" -- "$@"
