#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Does the README hold on a machine that has nothing? A minimal Debian 12 in a folder, a clone of HEAD in it, and the README's
# two commands. Needs root, debootstrap, git and the network; not part of scripts/test.sh.
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/clean-root-test.sh [--mirror URL] [--keep] [--command COMMAND]... FOLDER

Makes a minimal Debian 12 in FOLDER (which must not exist), puts a clone of HEAD into it and runs there, as the README
says, each COMMAND (default: the two of the README). FOLDER is removed at the end when all went well.

  --mirror URL       where packages come from (default: as in this machine's apt sources)
  --keep             leave FOLDER as it is at the end, to look at the results
  --command COMMAND  run this instead of the README's commands
  --help             show this text
END
}

mirror='' keep=0 root='' commands=()
while (($#)); do
  case $1 in
    --mirror | --command)
      if (($# < 2)); then echo "clean-root-test.sh: $1 needs a value" >&2; exit 2; fi
      case $1 in --mirror) mirror=$2 ;; --command) commands+=("$2") ;; esac
      shift
      ;;
    --keep) keep=1 ;;
    -h | --help) usage; exit 0 ;;
    -*) echo "clean-root-test.sh: unknown argument \"$1\"" >&2; exit 2 ;;
    *) root=$1 ;;
  esac
  shift
done
if [[ -z $root ]]; then usage >&2; exit 2; fi
if ((EUID != 0)); then echo "clean-root-test.sh: chroot and mounts need root" >&2; exit 2; fi
if [[ -e $root ]]; then echo "clean-root-test.sh: $root exists already; give a new folder" >&2; exit 2; fi
for program in debootstrap git chroot; do
  if ! command -v "$program" >/dev/null; then echo "clean-root-test.sh: needs $program" >&2; exit 2; fi
done

here=${BASH_SOURCE[0]%/*}
[[ $here == "${BASH_SOURCE[0]}" ]] && here=.
source_root=$(cd "$here/.." && pwd)

# the first address of Debian itself (not of its security updates) in either format of apt's sources
if [[ -z $mirror ]]; then
  mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -nE 's/^(URIs:|deb( \[[^]]*\])?)[ \t]+([a-z]+:[^ \t]*debian\/?)([ \t].*)?$/\3/p' | head -n 1 || true)
fi
if [[ -z $mirror ]]; then
  echo "clean-root-test.sh: no Debian mirror in /etc/apt/sources.list*; give one with --mirror" >&2
  exit 2
fi

mounted=()
release() {
  local folder
  # in reverse order; what is mounted must never be removed with the folder
  for ((i = ${#mounted[@]} - 1; i >= 0; i--)); do
    folder=${mounted[i]}
    umount "$folder" || umount -l "$folder" || keep=1
  done
  mounted=()
}
trap 'code=$?; release; exit $code' EXIT
trap 'exit 130' INT TERM HUP

echo "== a minimal Debian 12 in $root, from $mirror"
mkdir -p "$root"
root=$(cd "$root" && pwd)
debootstrap --variant=minbase bookworm "$root" "$mirror" >"$root.log" 2>&1 ||
  { tail -n 20 "$root.log" >&2; exit 1; }
rm -f "$root.log"

# the network as this machine has it
cp --dereference /etc/resolv.conf "$root/etc/resolv.conf"
for file in /etc/apt/sources.list.d/debian.sources /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf.d/99*; do
  [[ -f $file ]] && cp --dereference "$file" "$root${file}"
done
[[ -f $root/etc/apt/sources.list.d/debian.sources ]] && rm -f "$root/etc/apt/sources.list"
for folder in proc dev dev/pts; do
  mount --bind "/$folder" "$root/$folder"
  mounted+=("$root/$folder")
done
# a machine has these; in the bind-mounted /dev they would be this machine's
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm" && mounted+=("$root/dev/shm")

echo "== a clone of $(git -c safe.directory='*' -C "$source_root" rev-parse --short HEAD)"
git -c safe.directory='*' clone -q --no-hardlinks "$source_root" "$root/opt/trpo-bench"

if ((${#commands[@]} == 0)); then
  commands=("scripts/bench.sh suites/classic.toml" "scripts/test.sh")
  for command in "${commands[@]}"; do
    if ! grep -qF "$command" "$source_root/README.md"; then
      echo "clean-root-test.sh: README.md does not say \"$command\"" >&2
      exit 1
    fi
  done
fi
for command in "${commands[@]}"; do
  echo "== $command"
  SECONDS=0
  # nothing of this machine's environment but its terminal type
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp TERM="${TERM:-dumb}" \
    chroot "$root" /bin/bash -c "cd /opt/trpo-bench && $command" </dev/null
  echo "== done in $SECONDS s"
done

release
if ((keep)); then
  echo "== kept: $root/opt/trpo-bench"
else
  rm -rf --one-file-system "$root"
fi
echo "== the README holds"
