#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# From a fresh clone to tables and figures: set-up, build, run. Paths are as seen from where you stand.
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/bench.sh SUITE.toml [OPTION...]

Installs what is missing (scripts/setup.sh), fetches MuJoCo (scripts/fetch-mujoco.sh), builds the release preset and runs build/release/trpo-bench with the
given arguments:

  scripts/bench.sh suites/classic.toml          the whole suite
  scripts/bench.sh suites/smoke.toml -j 2       ten seconds of it
  scripts/bench.sh report results/DIR           any command of trpo-bench; scripts/bench.sh help lists them
END
}

case ${1-} in
  '') usage >&2; exit 2 ;;
  -h | --help) usage; exit 0 ;;
esac
here=${BASH_SOURCE[0]%/*}
[[ $here == "${BASH_SOURCE[0]}" ]] && here=.
root=$(cd "$here/.." && pwd)
build=$root/build/release

"$root/scripts/setup.sh"
"$root/scripts/fetch-mujoco.sh" || echo "bench.sh: continuing without MuJoCo: the tasks mujoco/... will be missing" >&2

# the build is quiet unless it fails: what people want to see is the suite
log=$root/build/release.log
mkdir -p "$root/build"
[[ -x $build/trpo-bench ]] || echo "bench.sh: building trpo-bench (a minute or two, the first time)"
if ! { (cd "$root" && cmake --preset release) && cmake --build "$build"; } >"$log" 2>&1 </dev/null; then
  tail -n 40 "$log" >&2
  echo "bench.sh: the build failed; all of its output is in $log" >&2
  exit 1
fi
exec "$build/trpo-bench" "$@"
