#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# trpo-bench beside Stable-Baselines3-contrib and tianshou: same tasks, same evaluation starts, one machine, one table.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/compare-peers.sh [OPTION...]

Runs what is missing of every part, then writes OUT/report/: table.md, table.tsv, curves.{svg,pdf,png}.
The other programs go into a Python environment of their own, which is made first (Python 3.11, about 1.5 GB).

  --only PART,...   some parts alone: ours, sb3, tianshou, timing, compare (default: all, in this order)
  --timing          the same as --only timing,compare, with the timing measured anew; the machine must be quiet
  --seeds LIST      0-9, 3, or 0,2,5-7 (default: 0-9)
  -j N              runs at a time (default: 1); timing is always one
  --out DIR         results (default: build/peers); complete runs in it are kept
  --venv DIR        the Python environment (default: build/peers-venv)
  --program FILE    trpo-bench, with its plugins beside it (default: build/release/trpo-bench)
  --page            also put the tables into docs/peers.md
  --help            show this text
TEXT
}

here=${BASH_SOURCE[0]%/*}
[[ $here == "${BASH_SOURCE[0]}" ]] && here=.
root=$(cd "$here/.." && pwd)
parts=,ours,sb3,tianshou,timing,compare,
seeds=0-9 jobs=1 out=$root/build/peers venv=$root/build/peers-venv program=$root/build/release/trpo-bench
page=() anew=0

fail() { echo "compare-peers.sh: $1; see scripts/compare-peers.sh --help" >&2; exit 2; }

while (($#)); do
  case $1 in
    --timing) parts=,timing,compare, anew=1 ;;
    --page) page=(--page "$root/docs/peers.md") ;;
    -h | --help) usage; exit 0 ;;
    --only | --seeds | -j | --out | --venv | --program)
      (($# > 1)) || fail "$1 takes a value"
      case $1 in
        --only) parts=,$2, ;;
        --seeds) seeds=$2 ;;
        -j) jobs=$2 ;;
        --out) out=$2 ;;
        --venv) venv=$2 ;;
        --program) program=$2 ;;
      esac
      shift ;;
    *) fail "unknown argument \"$1\"" ;;
  esac
  shift
done
for part in ${parts//,/ }; do
  [[ ,ours,sb3,tianshou,timing,compare, == *,"$part",* ]] || fail "unknown part \"$part\""
done
[[ -x $program ]] || fail "$program is not there; build it first: scripts/setup.sh, cmake --workflow --preset release"
[[ $seeds == *-* || $seeds == *,* ]] || seeds=$seeds-$seeds

# one thread for each program: a second one makes the others slower
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMEXPR_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1
plugins=$(cd "$(dirname "$program")" && pwd)/plugins
mkdir -p "$out"
python=$venv/bin/python

make_environment() {
  local wanted=$root/scripts/peers/requirements.txt
  cmp -s "$wanted" "$venv/requirements.txt" && return
  echo "compare-peers.sh: installing the other programs into $venv"
  python3 -m venv "$venv"
  "$python" -m pip install --quiet --disable-pip-version-check -r "$wanted"
  cp "$wanted" "$venv/requirements.txt"
}

has() { [[ $parts == *,"$1",* ]]; }

# ours FOLDER OPTION...: the TRPO row of suites/classic.toml, and TRPO with the zoo's settings
ours() {
  local folder=$1
  shift
  "${lower[@]}" "$program" "$root/suites/classic.toml" --plugin-dir "$plugins" -o "$folder" --no-report "$@" \
    --filter ' trpo s' || failed=1
  "${lower[@]}" "$program" "$root/suites/peers.toml" --plugin-dir "$plugins" -o "$folder" --no-report "$@" || failed=1
}

# peer SCRIPT FOLDER OPTION...
peer() {
  local script=$1 folder=$2
  shift 2
  "${lower[@]}" "$python" "$root/scripts/peers/$script.py" --out "$folder" --plugins "$plugins" "$@" || failed=1
}

timing() {
  local load repeat
  ((anew)) && rm -rf "$out/timing"
  load=$(cut -d ' ' -f 1 /proc/loadavg)
  [[ $load < 0.5 ]] || echo "compare-peers.sh: the load is $load: these times say little" >&2
  # interleaved, so that a slow minute of the machine is nobody's alone
  for repeat in 0 1 2; do
    ours "$out/timing" -j 1 --threads 1 --seeds "$repeat-$repeat" --quiet \
      --set steps=20000 --set eval_every=0 --set final_eval_episodes=1
    peer sb3 "$out/timing/peers" --timing --steps 20000 --seeds "$repeat"
    peer tianshou_trpo "$out/timing/peers" --timing --steps 20000 --seeds "$repeat"
  done
}

# candidate NAME FOLDER ALGORITHM: a program to compare, when it has runs below results/
candidate() {
  compgen -G "$out/results/$2/runs/*/*/$3" >/dev/null || return 0
  arguments+=(--program "$1=$out/results/$2:$3")
  compgen -G "$out/timing/$2/runs/*/*/$3" >/dev/null || return 0
  arguments+=(--timing "$1=$out/timing/$2:$3")
}

compare() {
  local arguments=()
  candidate "trpo-bench" "classic-*" trpo
  candidate "trpo-bench (zoo)" "peers-*" trpo@zoo
  candidate "SB3-contrib" peers sb3
  candidate "tianshou" peers tianshou
  ((${#arguments[@]})) || fail "there is nothing to compare below $out/results"
  "$python" "$root/scripts/peers/compare.py" --out "$out/report" "${arguments[@]}" "${page[@]}" || failed=1
}

make_environment
"$python" "$root/scripts/peers/measures_test.py" "$plugins"
"$python" "$root/scripts/peers/records_test.py"
"$python" "$root/scripts/peers/compare_test.py"
failed=0
lower=(nice -n 10)
if has ours; then ours "$out/results" -j "$jobs" --seeds "$seeds"; fi
if has sb3; then peer sb3 "$out/results/peers" -j "$jobs" --seeds "$seeds"; fi
if has tianshou; then peer tianshou_trpo "$out/results/peers" -j "$jobs" --seeds "$seeds"; fi
lower=()
if has timing; then timing; fi
if has compare; then compare; fi
exit "$failed"
