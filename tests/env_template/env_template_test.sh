#!/bin/sh
# SPDX-License-Identifier: MIT
# Installs the build into an empty prefix, builds a copy of examples/env-template against it, checks the plugin, runs its suite.
# Usage: env_template_test.sh CMAKE C_COMPILER SOURCE_FOLDER BUILD_FOLDER
set -u
cmake=$1 compiler=$2 source=$3 build=$4
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

# only the installed program's own folder and --plugin-dir count
unset TRPO_BENCH_PLUGIN_PATH

# step WHAT COMMAND...: the command must exit with 0
step()
{
    what=$1
    shift
    "$@" > "$folder/log" 2>&1
    status=$?
    if [ "$status" -ne 0 ]; then
        echo "$what: exit code $status of: $*"
        cat "$folder/log"
        exit 1
    fi
}

# expect PATTERN WHAT: the last step's output has a line that matches
expect()
{
    if ! grep -q -- "$1" "$folder/log"; then
        echo "$2: no line matches \"$1\" in:"
        cat "$folder/log"
        exit 1
    fi
}

step install "$cmake" --install "$build" --prefix "$folder/prefix"
cp -R "$source/examples/env-template" "$folder/point" || exit 1
step configure "$cmake" -S "$folder/point" -B "$folder/point/build" -DCMAKE_PREFIX_PATH="$folder/prefix" \
    -DCMAKE_C_COMPILER="$compiler" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" -DCMAKE_EXPORT_COMPILE_COMMANDS=ON
step build "$cmake" --build "$folder/point/build"

# installed headers only: nothing of the tree or its build is named
if grep -F -e "$source/" -e "$build/" "$folder/point/build/compile_commands.json"; then
    echo "the template was compiled with files of the tree"
    exit 1
fi

# dropped in: one file in a folder of its own
mkdir "$folder/drop" && cp "$folder/point/build/point.so" "$folder/drop/" || exit 1
program=$folder/prefix/bin/trpo-bench
step list "$program" list envs --plugin-dir "$folder/drop"
expect "example/Point-v0" "the environment is listed"
step check "$program" check "$folder/drop/point.so"
step run "$program" "$folder/point/point.toml" --plugin-dir "$folder/drop" -o "$folder/results" \
    --seeds 1 --set steps=4096 --set eval_every=0

# two cells, each with a complete record
find "$folder/results" -name run.json > "$folder/runs"
[ "$(wc -l < "$folder/runs")" -eq 2 ] || { echo "expected 2 run.json, found:"; cat "$folder/runs"; exit 1; }
while read -r run; do
    if ! tr -d ' \n' < "$run" | grep -q '"state":"ok"'; then
        echo "$run is not ok:"
        cat "$run"
        exit 1
    fi
done < "$folder/runs"
echo "the template builds, passes the check and runs"
