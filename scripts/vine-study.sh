#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What common random numbers do in the vine cells of a results folder: the table of docs/algorithms.md.
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/vine-study.sh RESULTS [ROW] [PROGRAM]

RESULTS is a results folder of suites/vine.toml, ROW one of its rows (default: vine-long). Runs `trpo-bench run-cell --study-vine`
for the row's first five seeds (they are trained once more; nothing is written) and prints, for the first, a middle and the last
policy:

  states    rollout states whose first two actions are compared, each in 64 trials with and without common random numbers
  same      of them: both actions are the same one, or both variances are 0
  zero      of the others: variance 0 with common random numbers
  ratio     variance of Q(s, a_1) - Q(s, a_0) with common random numbers over that without: means over the others of one run,
            then the median over runs, and the smallest and largest; runs without others are left out, and not among "runs"

PROGRAM: build/release/trpo-bench unless given.
END
}

case ${1-} in
  '') usage >&2; exit 2 ;;
  -h | --help) usage; exit 0 ;;
esac
here=${BASH_SOURCE[0]%/*}
[[ $here == "${BASH_SOURCE[0]}" ]] && here=.
results=$1 row=${2:-vine-long} program=${3:-$here/../build/release/trpo-bench}
[[ -x $program ]] || { echo "vine-study.sh: $program is not there; build the release preset" >&2; exit 2; }
[[ -d $results/runs ]] || { echo "vine-study.sh: $results is no results folder" >&2; exit 2; }

cd "$results"
program=$(cd "$OLDPWD" && cd "$(dirname "$program")" && pwd)/$(basename "$program")
for cell in runs/*/*/*"@$row"/s000[0-4]; do
  [[ -f $cell/run.json ]] || { echo "vine-study.sh: there is no complete run $results/$cell" >&2; continue; }
  "$program" run-cell --study-vine . "$cell" | awk -F'\t' 'NR > 1 && $9 ~ /^[0-9]/ { print $1 "\t" NR - 1 "\t" $4 "\t" $5 "\t" $6 "\t" $9 }'
done | sort -t$'\t' -k1,1 -k2,2n -k6,6g | awk -F'\t' '
  function flush() {
    if (n == 0) return
    printf "| %s | %s | %d | %d | %d | %d | %.3f [%.3f, %.3f] |\n", env, names[stage], n, states, same, zero,
      n % 2 ? ratio[(n + 1) / 2] : (ratio[n / 2] + ratio[n / 2 + 1]) / 2, ratio[1], ratio[n]
    n = states = same = zero = 0
  }
  BEGIN {
    names[1] = "first"; names[2] = "middle"; names[3] = "last"
    print "| environment | policy | runs | states | same | zero | ratio [least, most] |"
    print "|---|---|---:|---:|---:|---:|---|"
  }
  { if ($1 != env || $2 != stage) flush(); env = $1; stage = $2; ratio[++n] = $6; states += $3; same += $4; zero += $5 }
  END { flush() }'
