#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Takes a complete results folder over into results/reference/, docs/images/ and, of suites/classic.toml, README.md.
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/publish-reference.sh RESULTS

RESULTS is the folder that `trpo-bench suites/NAME.toml` wrote, with its report. Writes
  results/reference/NAME/    suite, scores, table, hashes of all cells
  docs/images/NAME.png       the learning curves
  README.md                  the table between its "classic" marks, when NAME is classic
END
}

case ${1-} in
  '') usage >&2; exit 2 ;;
  -h | --help) usage; exit 0 ;;
esac
here=${BASH_SOURCE[0]%/*}
[[ $here == "${BASH_SOURCE[0]}" ]] && here=.
root=$(cd "$here/.." && pwd)
from=$1
name=$(sed -n 's/^name = "\(.*\)"$/\1/p' "$from/suite.toml" 2>/dev/null | head -n 1)
[[ -n $name ]] || { echo "publish-reference.sh: $from holds no suite" >&2; exit 2; }
to=$root/results/reference/$name
for file in suite.toml report/scores.csv report/table.csv report/fig/curves.png; do
  [[ -f $from/$file ]] || { echo "publish-reference.sh: $from/$file is not there; run the suite with its report" >&2; exit 2; }
done
awk -F, 'NR > 1 && $10 != "ok" { bad = 1 } END { exit bad }' "$from/report/scores.csv" ||
  { echo "publish-reference.sh: $from/report/scores.csv holds cells that are not ok" >&2; exit 1; }

mkdir -p "$to"
# a suite names published results from where it stood
if grep -q '^published = ' "$from/suite.toml"; then
  other=$(sed -n 's/^published = "\(.*\)"$/\1/p' "$from/suite.toml" | head -n 1)
  mkdir -p "$to/$(dirname "$other")"
  cp "$root/suites/$other" "$to/$other"
fi
cp "$from/suite.toml" "$from/report/scores.csv" "$from/report/table.csv" "$to/"
cp "$from/report/fig/curves.png" "$root/docs/images/$name.png"
{
  printf 'cell\tresult_hash\n'
  (cd "$from" && find runs -name run.json | LC_ALL=C sort) | while read -r file; do
    printf '%s\t%s\n' "${file%/run.json}" "$(sed -n 's/.*"result_hash": *"\([0-9a-f]*\)".*/\1/p' "$from/$file" | head -n 1)"
  done
} >"$to/hashes.tsv"

echo "publish-reference.sh: $(($(wc -l <"$to/hashes.tsv") - 1)) cells published"
[[ $name == classic ]] || exit 0

# the first table of the report, without the columns that are the same in each row
table=$(awk -F' *[|] *' '
  /^\| classic/ { sub("classic/", "", $2); print "| " $2 " | " $4 " | " $5 " | " $6 " | " $7 " | " $8 " |" }
  /^## / { exit }' "$from/report/table.md")
awk -v table="$table" '
  /<!-- classic: begin -->/ {
    print; print ""
    print "| Environment | Algorithm | Mean | SD | IQM | 95 % interval |"
    print "|---|---|---:|---:|---:|---:|"
    print table; print ""
    skip = 1
  }
  /<!-- classic: end -->/ { skip = 0 }
  !skip' "$root/README.md" >"$root/README.md.new"
mv "$root/README.md.new" "$root/README.md"
