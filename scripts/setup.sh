#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Installs the Debian packages that trpo-bench needs and that are missing. Debian 12; nothing else is assumed.
set -euo pipefail

core=(
  gcc g++ libc6-dev cmake ninja-build pkg-config   # compilers and the build
  make                                             # cmake's default outside this tree: a plugin of one's own
  libopenblas-pthread-dev                          # wide linear algebra
  libtomlplusplus-dev libjansson-dev libsodium-dev # suites, JSON, SHA-256
  gnuplot-nox fonts-dejavu-core                    # figures
  python3 python3-pip                              # fetches MuJoCo (scripts/fetch-mujoco.sh); nothing runs on it
)
tests=(
  libcmocka-dev librandom123-dev                          # unit tests, the oracle of the random numbers
  clang llvm libclang-rt-14-dev libomp-dev                # second compiler, sanitizers that name functions
  clang-format clang-tidy git                             # checks of the sources
  python3-venv                                            # Gymnasium, what the MuJoCo tasks are compared with
  abigail-tools pahole gcovr                              # checks of the ABI, coverage
)

watch=(
  ffmpeg                                                  # films
  libegl1 libegl-mesa0 libgl1-mesa-dri                    # MuJoCo's pictures, without a display
)

usage() {
  cat <<'END'
Usage: scripts/setup.sh [--tests] [--watch]

Installs, through apt-get, the Debian packages that trpo-bench needs and that are missing; says which.
Does nothing, and needs no network, when all of them are there.

  --tests   also what scripts/test.sh needs
  --watch   also what "trpo-bench watch" needs: ffmpeg, and EGL for MuJoCo's pictures
  --help    show this text
END
}

wanted=("${core[@]}")
for argument in "$@"; do
  case $argument in
    --tests) wanted+=("${tests[@]}") ;;
    --watch) wanted+=("${watch[@]}") ;;
    -h | --help) usage; exit 0 ;;
    *) echo "setup.sh: unknown argument \"$argument\"; see scripts/setup.sh --help" >&2; exit 2 ;;
  esac
done

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "setup.sh: this is not a Debian system (no apt-get); install by hand what provides: ${wanted[*]}" >&2
  echo "setup.sh: continuing as if it were there" >&2
  exit 0
fi

# one query for all; a package that was never heard of is missing too
installed=" $(dpkg-query -W -f='${db:Status-Status}:${Package} ' "${wanted[@]}" 2>/dev/null || true)"
missing=()
for package in "${wanted[@]}"; do
  [[ $installed == *" installed:$package "* ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "setup.sh: these Debian packages are missing: ${missing[*]}" >&2
    echo "setup.sh: and there is no sudo to install them with; run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
# sudo drops the environment: set it behind sudo. Another apt-get or dpkg may be at work: wait for its lock.
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get
     -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)

# the lists have a lock of their own, for which apt-get does not wait
update() {
  local attempt output
  for attempt in {1..60}; do
    if output=$("${apt[@]}" update 2>&1 </dev/null); then
      return 0
    fi
    [[ $output == *"Could not get lock"* ]] || break
    sleep 5
  done
  echo "$output" >&2
  return 1
}

echo "setup.sh: installing the missing Debian packages: ${missing[*]}"
update || echo "setup.sh: apt-get update failed; trying with the package lists that are there" >&2
if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null; then
  echo "setup.sh: apt-get could not install: ${missing[*]}; see its messages above (network? disk? package lists?)" >&2
  exit 1
fi
echo "setup.sh: installed ${#missing[@]} packages and what they need"
