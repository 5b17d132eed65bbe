#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What every file of the tree must have, and what none may:  tests/lint/tree.sh [root]
#
# - C, shell and JavaScript files name their licence in one of the first three lines.
# - No reminder without an issue number ("TODO(#12)").
# - npm lock files name no download address: who installs chooses the registry.
set -euo pipefail
cd "${1:-.}"
failed=0

sources() {
	find . \( -name node_modules -o -name .git -o -path ./build -o -name vendor \) -prune -o \
		-type f \( "$@" \) -print | LC_ALL=C sort
}

while read -r file; do
	if ! head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0'; then
		echo "$file:1: no SPDX-License-Identifier in the first three lines"
		failed=1
	fi
done < <(sources -name '*.[ch]' -o -name '*.sh' -o -name '*.js' -o -name '*.proto')

if sources -name '*.[ch]' -o -name '*.sh' -o -name '*.js' -o -name '*.md' |
	grep -v '/tests/lint/' | xargs -r grep -nE '(TODO|FIXME)\b' | grep -vE '\(#[0-9]+\)'; then
	echo "a reminder without an issue number"
	failed=1
fi

if sources -name package-lock.json | xargs -r grep -n '"resolved"' | grep .; then
	echo "a lock file names a registry: remove the \"resolved\" lines"
	failed=1
fi
exit $failed
