#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The same bits from every compiler: builds the program with gcc -O3, gcc -O2 and clang, runs the first seed of the classic
# and the vine suite, shortened, with each and compares the result hashes.
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/compare-builds.sh [FOLDER]

Needs gcc and clang (scripts/setup.sh). Builds and results go to FOLDER (default: build/builds). Exit code 3 when a hash differs.
END
}

case ${1-} in -h | --help) usage; exit 0 ;; esac
here=${BASH_SOURCE[0]%/*}
[[ $here == "${BASH_SOURCE[0]}" ]] && here=.
root=$(cd "$here/.." && pwd)
out=${1:-$root/build/builds}
mkdir -p "$out"

build() {
  local name=$1
  shift
  cmake -S "$root" -B "$out/$name" -G Ninja -DCMAKE_BUILD_TYPE=Release -DTB_TESTS=OFF "$@" >"$out/$name.log" 2>&1 &&
    cmake --build "$out/$name" >>"$out/$name.log" 2>&1 ||
    { tail -n 20 "$out/$name.log" >&2; echo "compare-builds.sh: the build failed: $out/$name.log" >&2; exit 1; }
}

hashes() {
  local suite name=$1
  rm -rf "$out/$name-results"
  for suite in classic vine; do
    "$out/$name/trpo-bench" "$root/suites/$suite.toml" --seeds 0-0 --set steps=12000 --set eval_every=6000 \
      --set final_eval_episodes=5 --plugin-dir "$out/$name/plugins" -o "$out/$name-results" --no-report --quiet
  done
  (cd "$out/$name-results" && find . -name run.json | LC_ALL=C sort) | while read -r file; do
    printf '%s %s\n' "$(sed -n 's/.*"result_hash": *"\([0-9a-f]*\)".*/\1/p' "$out/$name-results/$file" | head -n 1)" "$file"
  done >"$out/$name.hashes"
}

build gcc-O3 -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++
build gcc-O2 -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ -DCMAKE_C_FLAGS_RELEASE="-O2 -DNDEBUG"
build clang -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++
for name in gcc-O3 gcc-O2 clang; do hashes "$name"; done
different=0
for name in gcc-O2 clang; do
  diff "$out/gcc-O3.hashes" "$out/$name.hashes" >&2 || { echo "compare-builds.sh: $name differs from gcc-O3" >&2; different=3; }
done
echo "compare-builds.sh: $(wc -l <"$out/gcc-O3.hashes") cells, gcc -O3, gcc -O2, clang: $([[ $different == 0 ]] && echo the same hashes || echo DIFFERENT)"
exit "$different"
