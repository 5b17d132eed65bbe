#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What every file of the tree must have, and what none may:  tests/lint/tree.sh [root]
#
# - C, shell, JavaScript, TypeScript and interface files (.hub) name their licence in one of the first three lines.
# - No reminder without an issue number ("TODO(#12)").
# - npm lock files name no download address: who installs chooses the registry.
# - The lines of a comment of C are aligned (comments.awk).
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
cd "${1:-.}"
failed=0

sources() {
	find . \( -name node_modules -o -name .git -o -path ./build -o -path ./docs/clients/dist -o \
		-name vendor \) -prune -o \
		-type f \( "$@" \) -print | LC_ALL=C sort
}

while read -r file; do
	if ! head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0'; then
		echo "$file:1: no SPDX-License-Identifier in the first three lines"
		failed=1
	fi
done < <(sources -name '*.[ch]' -o -name '*.sh' -o -name '*.js' -o -name '*.ts' -o -name '*.hub' -o -name '*.proto')

if sources -name '*.[ch]' -o -name '*.sh' -o -name '*.js' -o -name '*.ts' -o -name '*.md' |
	grep -v '/tests/lint/' | xargs -r grep -nE '(TODO|FIXME)\b' | grep -vE '\(#[0-9]+\)'; then
	echo "a reminder without an issue number"
	failed=1
fi

if sources -name package-lock.json | xargs -r grep -n '"resolved"' | grep .; then
	echo "a lock file names a registry: remove the \"resolved\" lines"
	failed=1
fi

sources -name '*.[ch]' | xargs -r awk -f "$HERE/comments.awk" || failed=1
exit $failed
