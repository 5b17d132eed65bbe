#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A page of the documentation as it is installed, on stdout: its links lead to what is
# installed, and what is in the source tree alone is named without a link.
#
#	installed_page.sh PAGE DOCDIR DATADIR INCLUDEDIR
#
# PAGE is as in the tree. README.md, CHANGELOG.md and SECURITY.md lie beside docs/* there.
# Where operators read what to run, deploy/scripts and its like are as they are installed.
set -euo pipefail

page=$1 docs=$2 data=$3/heliograph include=$4/heliograph
rules=()

# A sed expression; ',' is in no path of ours.
rule() {
	rules+=(-e "$1")
}

case $page in
docs/OPERATING.md | docs/RUNBOOK.md | deploy/monitoring/README.md)
	rule "s,(\.\./)*\<deploy/(edge|monitoring|scripts)\>,$data/\2,g"
	;;
*)
	rule "s,\]\((\.\./)*deploy/(edge|monitoring|scripts)\>,]($data/\2,g"
	;;
esac
rule "s,\]\((\.\./)*router/([a-z_/]*\.h),]($include/router/\2,g"
case $page in
docs/*/*) ;;
docs/*) rule 's,\]\(\.\./((README|CHANGELOG|SECURITY)\.md|LICENSE),](\1,g' ;;
*/*) rule "s,\]\((\.\./)*docs/,]($docs/,g" ;;
*) rule 's,\]\(docs/,](,g' ;;
esac
# What is left of the tree, and beside monitoring/ what is not installed.
rule 's,\[([^][]*)\]\((\.\./)*(bench|deploy|gateway|presence|proto|router|tests)/[^)]*\),\1,g'
rule 's,\[([^][]*)\]\(\.\./kubernetes/[^)]*\),\1,g'
sed -E "${rules[@]}" "$page"
