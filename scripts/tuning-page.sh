#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The table of docs/tuning.md, from the results of suites/tuning.toml.
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/tuning-page.sh RESULTS

RESULTS is the folder that `trpo-bench suites/tuning.toml` wrote, with its report. Writes the table between the marks of
docs/tuning.md: for each row and task the interquartile mean of the final evaluation and its 95 % interval.
END
}

case ${1-} in
  '') usage >&2; exit 2 ;;
  -h | --help) usage; exit 0 ;;
esac
here=${BASH_SOURCE[0]%/*}
[[ $here == "${BASH_SOURCE[0]}" ]] && here=.
page=$(cd "$here/.." && pwd)/docs/tuning.md
table=$(awk -F, '
  NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
  $at["score"] == "raw" {
    env = $at["env"]; sub(/.*\//, "", env); row = $at["algorithm"]
    if (!(env in known)) { known[env] = 1; envs[++n_envs] = env }
    if (!(row in seen)) { seen[row] = 1; rows[++n_rows] = row }
    cell[row, env] = sprintf("%.4g [%.4g, %.4g]", $at["iqm"], $at["iqm_low"], $at["iqm_high"])
  }
  END {
    printf "| row |"; for (e = 1; e <= n_envs; e++) printf " %s |", envs[e]
    printf "\n|---|"; for (e = 1; e <= n_envs; e++) printf "---|"
    for (r = 1; r <= n_rows; r++) {
      printf "\n| `%s` |", rows[r]
      for (e = 1; e <= n_envs; e++) printf " %s |", cell[rows[r], envs[e]]
    }
  }' "$1/report/table.csv")
awk -v table="$table" '
  /<!-- tuning: begin -->/ { print; print ""; print table; print ""; skip = 1 }
  /<!-- tuning: end -->/ { skip = 0 }
  !skip' "$page" >"$page.new"
mv "$page.new" "$page"
