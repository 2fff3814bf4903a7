#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# trpo-bench beside Stable-Baselines3-contrib's TRPO on Gymnasium's MuJoCo tasks (docs/peers-mujoco.md).
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: scripts/compare-mujoco.sh [OPTION...]

Runs what is missing of every part, then writes OUT/report/: table.md, table.tsv, curves.{svg,pdf,png}.
SB3-contrib goes into a Python environment of its own, which is made first (Python 3.11, about 1.2 GB).
Its runs in results/reference/mujoco-sb3 are taken as they are; with none of them there it takes three hours.

  --only PART,...   some parts alone: sb3, ours, compare (default: all, in this order)
  --seeds LIST      of SB3-contrib: 0-2, 3, or 0,2,5-7 (default: 0-2)
  --tasks LIST      of SB3-contrib: Hopper-v5,... (default: Hopper, Walker2d, HalfCheetah, Ant, Swimmer)
  --again           take no run of results/reference, and put none there
  -j N              runs at a time (default: 1)
  --out DIR         results (default: build/peers-mujoco); complete runs in it are kept
  --venv DIR        the Python environment (default: build/mujoco-venv)
  --program FILE    trpo-bench, with its plugins beside it (default: build/release/trpo-bench)
  --ours FOLDER     a results folder of suites/mujoco.toml (default: the newest OUT/results/mujoco-*)
  --algorithm NAME  its runs to compare, * as in file names (default: trpo)
  --page            also put the tables into docs/peers-mujoco.md
  --help            show this text
TEXT
}

here=${BASH_SOURCE[0]%/*}
[[ $here == "${BASH_SOURCE[0]}" ]] && here=.
root=$(cd "$here/.." && pwd)
parts=,sb3,ours,compare, seeds=0-2 tasks=() jobs=1 algorithm=trpo ours='' page=()
out=$root/build/peers-mujoco venv=$root/build/mujoco-venv program=$root/build/release/trpo-bench
reference=$root/results/reference/mujoco-sb3 suite=$root/suites/mujoco.toml

fail() { echo "compare-mujoco.sh: $1; see scripts/compare-mujoco.sh --help" >&2; exit 2; }

while (($#)); do
  case $1 in
    --again) reference= ;;
    --page) page=(--page "$root/docs/peers-mujoco.md") ;;
    -h | --help) usage; exit 0 ;;
    --only | --seeds | --tasks | -j | --out | --venv | --program | --ours | --algorithm)
      (($# > 1)) || fail "$1 takes a value"
      case $1 in
        --only) parts=,$2, ;;
        --seeds) seeds=$2 ;;
        --tasks) tasks=(--tasks "$2") ;;
        -j) jobs=$2 ;;
        --out) out=$2 ;;
        --venv) venv=$2 ;;
        --program) program=$2 ;;
        --ours) ours=$2 ;;
        --algorithm) algorithm=$2 ;;
      esac
      shift ;;
    *) fail "unknown argument \"$1\"" ;;
  esac
  shift
done
for part in ${parts//,/ }; do
  [[ ,sb3,ours,compare, == *,"$part",* ]] || fail "unknown part \"$part\""
done
has() { [[ $parts == *,"$1",* ]]; }
if has ours && [[ -z $ours ]]; then
  [[ -f $suite ]] || fail "$suite is not there"
  [[ -x $program ]] || fail "$program is not there; build it first: scripts/setup.sh, cmake --workflow --preset release"
fi

export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMEXPR_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1
mkdir -p "$out"
python=$venv/bin/python

make_environment() {
  local wanted=$root/scripts/peers/requirements-mujoco.txt
  cmp -s "$wanted" "$venv/requirements.txt" && return
  echo "compare-mujoco.sh: installing SB3-contrib and MuJoCo into $venv"
  python3 -m venv "$venv"
  "$python" -m pip install --quiet --disable-pip-version-check -r "$wanted"
  cp "$wanted" "$venv/requirements.txt"
}

sb3() {
  nice -n 10 "$python" "$root/scripts/peers/sb3_mujoco.py" --out "$out/results/sb3" ${reference:+--reference "$reference"} \
    --seeds "$seeds" "${tasks[@]}" -j "$jobs" || failed=1
}

# the tasks that SB3-contrib has runs of; the whole suite has more
ours() {
  nice -n 10 "$program" "$suite" --plugin-dir "$(dirname "$program")/plugins" -o "$out/results" --no-report -j "$jobs" \
    --filter "/(Hopper|Walker2d|HalfCheetah|Ant|Swimmer)-v5 .* trpo s" || failed=1
}

# candidate NAME FOLDER ALGORITHM: a program to compare, when it has runs; FOLDER is a pattern, of the newest
candidate() {
  if compgen -G "$2/runs/mujoco__*/*/$3/*/run.json" >/dev/null; then
    arguments+=(--program "$1=$2:$3")
  else
    echo "compare-mujoco.sh: no complete run of $1 in $2" >&2
  fi
}

compare() {
  local arguments=()
  # not mujoco-quick-*
  candidate "trpo-bench" "${ours:-$out/results/mujoco-????????}" "$algorithm"
  candidate "SB3-contrib" "${reference:-$out/results/sb3}" sb3
  ((${#arguments[@]})) || fail "there is nothing to compare"
  "$python" "$root/scripts/peers/compare.py" --domain mujoco --out "$out/report" "${arguments[@]}" "${page[@]}" || failed=1
}

make_environment
"$python" "$root/scripts/peers/records_test.py"
"$python" "$root/scripts/peers/compare_test.py"
failed=0
if has sb3; then sb3; fi
if has ours && [[ -z $ours ]]; then ours; fi
if has compare; then compare; fi
exit "$failed"
