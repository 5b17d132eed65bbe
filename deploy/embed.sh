#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Prints files as the C source of presence/embed.h's table:
#
#	deploy/embed.sh ROOT FILE...
#
# Each is named by its path below ROOT and has a NUL behind its bytes that does not count.
set -euo pipefail
root=$1
shift

echo '#include "presence/embed.h"'
for ((i = 1; i <= $#; i++)); do
	printf 'static const unsigned char file_%d[] = {\n' "$i"
	od -An -v -tu1 "${!i}" | sed -E 's/ *([0-9]+)/\1,/g'
	printf '0 };\n'
done
echo 'const struct embed_file embed_files[] = {'
for ((i = 1; i <= $#; i++)); do
	file=${!i}
	printf '\t{ "%s", (const char *)file_%d, sizeof(file_%d) - 1 },\n' "${file#"$root"/}" "$i" "$i"
done
printf '};\nconst size_t embed_files_n = %d;\n' $#
