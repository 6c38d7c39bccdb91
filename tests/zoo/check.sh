#!/bin/sh
# check.sh MORTISE FILE RULE SENTENCE - does `plugin check FILE` fail at RULE with SENTENCE, an
# extended regular expression for the whole line? RULE "none": it must pass.
set -eu
mortise=$1 file=$2 rule=$3 sentence=$4

code=0
output=$("$mortise" plugin check "$file") || code=$?
printf '%s\n' "$output"
case $output in *"1.."*) ;; *) echo "no plan: the check did not come to its end"; exit 1 ;; esac
if [ "$rule" = none ]; then
    [ "$code" = 0 ] && ! printf '%s\n' "$output" | grep -q '^not ok'
    exit
fi
[ "$code" = 1 ] || { echo "exit code $code, expected 1"; exit 1; }
found=$(printf '%s\n' "$output" | grep -A1 -E "^not ok [0-9]+ - $rule\$" | tail -n 1)
printf '%s\n' "$found" | grep -q -x -E "# $sentence" ||
    { echo "expected $rule: $sentence"; exit 1; }
