#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Fetches what the plugin `mujoco` is built from: MuJoCo's library and headers, and the models of Gymnasium's tasks.
set -euo pipefail

# Chosen together: this Gymnasium defines the v5 tasks, and its transitions were recorded with this MuJoCo (tests/data/mujoco),
# as were the runs of SB3-contrib. Another MuJoCo gives other trajectories: docs/adr/0014-mujoco.md.
mujoco=3.3.7
gymnasium=1.4.0

usage() {
  cat <<END
Usage: scripts/fetch-mujoco.sh [--tests]

Puts MuJoCo $mujoco and the models of Gymnasium $gymnasium into build/mujoco. Needs python3 with pip (scripts/setup.sh installs
it) and the package index that pip is set up for; needs no network, and does nothing, when they are there.

  --tests   also Gymnasium itself in a virtual environment, build/mujoco/venv: what records and checks parity
            (tests/mujoco/record.py)
  --help    show this text
END
}

tests=0
for argument in "$@"; do
  case $argument in
    --tests) tests=1 ;;
    -h | --help) usage; exit 0 ;;
    *) echo "fetch-mujoco.sh: unknown argument \"$argument\"; see scripts/fetch-mujoco.sh --help" >&2; exit 2 ;;
  esac
done

here=${BASH_SOURCE[0]%/*}
[[ $here == "${BASH_SOURCE[0]}" ]] && here=.
root=$(cd "$here/.." && pwd)
target=$root/build/mujoco
python=${PYTHON:-python3}
work=''
trap '[[ -z $work ]] || rm -rf "$work"' EXIT

fail() {
  echo "fetch-mujoco.sh: $*" >&2
  exit 1
}

# the two wheels, unpacked into a folder that takes the final name when it is whole
fetch_files() {
  [[ $(cat "$target/version" 2>/dev/null) == "$mujoco $gymnasium" ]] && return
  "$python" -m pip --version >/dev/null 2>&1 || fail "needs $python with pip; run scripts/setup.sh"
  echo "fetch-mujoco.sh: fetching MuJoCo $mujoco and the models of Gymnasium $gymnasium"
  mkdir -p "$root/build"
  work=$(mktemp -d "$root/build/mujoco.XXXXXX")
  # one build of the library for everybody, whatever this Python's version: only the library is used
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --python-version 3.11 \
    --dest "$work" "mujoco==$mujoco" "gymnasium==$gymnasium" ||
    fail "pip could not download mujoco==$mujoco and gymnasium==$gymnasium; see its messages above"
  "$python" -m zipfile -e "$work"/mujoco-*.whl "$work/m"
  "$python" -m zipfile -e "$work"/gymnasium-*.whl "$work/g"
  local files=$work/files
  mkdir -p "$files/lib" "$files/include" "$files/models" "$files/licences"
  mv "$work"/m/mujoco/libmujoco.so.* "$files/lib/"
  mv "$work/m/mujoco/include/mujoco" "$files/include/"
  mv "$work"/g/gymnasium/envs/mujoco/assets/*.xml "$files/models/"
  cp "$work/m/mujoco-$mujoco.dist-info/licenses/LICENSE" "$files/licences/LICENSE.mujoco"
  cp "$work/m/mujoco-$mujoco.dist-info/licenses/LICENSES_THIRD_PARTY.md" "$files/licences/LICENSES_THIRD_PARTY.mujoco.md"
  cp "$work/g/gymnasium-$gymnasium.dist-info/licenses/LICENSE" "$files/licences/LICENSE.gymnasium"
  echo "$gymnasium" >"$files/gymnasium-version"
  echo "$mujoco $gymnasium" >"$files/version"
  rm -rf "$target"
  mv "$files" "$target"
}

# Gymnasium itself, for tests
make_venv() {
  local venv=$target/venv
  [[ $(cat "$venv/version" 2>/dev/null) == "$mujoco $gymnasium" ]] && return
  echo "fetch-mujoco.sh: installing Gymnasium $gymnasium into build/mujoco/venv"
  rm -rf "$venv"
  "$python" -m venv "$venv" || fail "$python cannot make virtual environments; run scripts/setup.sh --tests"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$root/tests/mujoco/requirements.txt" ||
    fail "pip could not install tests/mujoco/requirements.txt; see its messages above"
  echo "$mujoco $gymnasium" >"$venv/version"
}

fetch_files
((tests)) && make_venv
exit 0
