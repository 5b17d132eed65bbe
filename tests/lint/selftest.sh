#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The lint of the lint: each script must pass a small clean tree, and must fail the same tree
# with one planted breach, naming it. A rule that cannot fail protects nothing.
# shellcheck disable=SC2016 # backticks here are Markdown's
set -euo pipefail

HERE=$(cd "$(dirname "$0")" && pwd)
TREE=$(mktemp -d "${TMPDIR:-/tmp}/heliograph-lint.XXXXXX")
trap 'rm -rf "$TREE"' EXIT
n=0

die() {
	echo "selftest: $*" >&2
	exit 1
}

# A tree that breaks no rule.
plant_clean() {
	rm -rf "${TREE:?}"/*
	mkdir -p "$TREE"/{docs,gateway,presence,router/hubs,proto/{base,wire,link},tests/{unit,sim/mutants}}
	local tag='/* SPDX-License-Identifier: Apache-2.0 */'
	printf '%s\n' "$tag" '#include <stdio.h>' '#include "proto/base/log.h"' \
		'static int' 'conn_on_message(struct conn *conn,' '	int n)' '{' \
		'	log_warn("conn.slow", "n=%d", n);' '	stream_fail(n, "conn.gone");' '}' \
		'#define CONN_MAX 1' >"$TREE/gateway/conn.c"
	printf '%s\n' "$tag" '/*' ' * A text.' ' *' ' * - An item,' ' *   which goes on.' ' * - Another.' ' *' \
		' *	an example' ' *' ' * A text.' ' */' 'static int' 'address_pass(char *to,' '	     int n) /* of' \
		'			   both */' '{' '	*to = "/*"[n];' '}' >"$TREE/gateway/address.c"
	printf '%s\n' "$tag" '#include "router/hub.h"' '/* never sleep() here */' \
		'hub_await_sleep(call, 1); x->send(1); f("open()");' >"$TREE/router/hubs/chat.c"
	printf '%s\n' "$tag" '#include "router/hub_call.h"' '#define hub_none(x) hub_any(x);' >"$TREE/router/hub.h"
	printf '%s\n' "$tag" 'static inline int hub_own(int n)' '{' '	return f(n);' '}' >"$TREE/router/hub_call.h"
	printf '{\n};\n' >"$TREE/router/hub.exports"
	printf '%s\n' "$tag" '#include <nng/nng.h>' >"$TREE/proto/link/link.c"
	printf '%s\n' "$tag" '#include <xxhash.h>' >"$TREE/proto/base/hash.c"
	printf '%s\n' 'A [link](OPERATING.md#logs), `conn: conn_on_message`, `conn.c: CONN_MAX`,' \
		'`conn.c`, `gateway/conn.c`, `docs/TOUR.md`, `build/x/chat.gen.h`.' >"$TREE/docs/TOUR.md"
	printf '%s\n' '# Logs' '| `conn.slow` | |' '| `conn.gone` | |' '# Files' '| `x.conf` | |' \
		>"$TREE/docs/OPERATING.md"
	printf '# file: router/hubs/chat.c\n# bug: it waits twice\ns/sleep(call, 1)/sleep(call, 2)/\n' \
		>"$TREE/tests/sim/mutants/sleepy.sed"
	echo '| `sleepy` | `router/hubs/chat.c`: it waits twice | too late |' >"$TREE/docs/RELIABILITY.md"
}

# rule, what its output must say, file, line to append there
expect() {
	local script=$1 text=$2 file=$3 line=$4 output
	plant_clean
	output=$("$HERE/$script.sh" "$TREE" 2>&1) || die "$script fails a clean tree: $output"
	[[ -e $TREE/$file || $line == bare || $file == *.sed ]] || echo '/* SPDX-License-Identifier: Apache-2.0 */' >"$TREE/$file"
	printf '%b\n' "$line" >>"$TREE/$file"
	if output=$("$HERE/$script.sh" "$TREE" 2>&1); then
		die "$script passes a planted breach: $file: ${line:0:60}"
	fi
	[[ $output == *"$text"* ]] || die "$script does not say '$text' but: $output"
	n=$((n + 1))
}

# head lines of body tail: a function, or a file, of that length
lines_of() {
	printf '%s' "$1"
	printf '\\tx;%.0s\\n' $(seq "$2")
	printf '%s' "$3"
}

expect layers 'gateway may only' gateway/conn.c '#include "router/group.h"'
expect layers 'router may only' router/group.c '#include "presence/store.h"'
expect layers 'presence may only' presence/lease.c '#include "gateway/conn.h"'
expect layers 'proto/base may only' proto/base/map.c '#include "proto/wire/json.h"'
expect layers 'proto/wire may only' proto/wire/json.c '#include "proto/link/link.h"'
expect layers 'proto/link may only' proto/link/ring.c '#include "gateway/conn.h"'
expect layers 'from the root' gateway/conn.c '#include "conn.h"'
expect layers 'event2/loop.h: may only' router/group.c '#include <event2/loop.h>'
expect layers 'nng/nng.h: may only' gateway/conn.c '#include <nng/nng.h>'
expect layers 'protobuf-c.h: may only' router/group.c '#include <protobuf-c/protobuf-c.h>'
expect layers 'link.pb-c.h: may only' router/group.c '#include "proto/link/link.pb-c.h"'
expect layers 'jansson.h: may only' gateway/conn.c '#include <jansson.h>'
expect layers 'xxhash.h: may only' proto/base/map.c '#include <xxhash.h>'
expect layers 'openssl/evp.h: may only' gateway/conn.c '#include <openssl/evp.h>'
expect layers 'jwt.h: may only' gateway/conn.c '#include <jwt.h>'
expect layers 'wslay/wslay.h: may only' gateway/conn.c '#include <wslay/wslay.h>'
expect layers 'ucontext.h: may only' router/hub.c '#include <ucontext.h>'
expect layers 'fiber.h: may only' router/group.c '#include "proto/base/fiber.h"'
expect layers 'is for tests' gateway/conn.c '#include <criterion/criterion.h>'
expect layers 'without a home' gateway/conn.c '#include <curl/curl.h>'

expect sizes 'has 71 lines' gateway/long.c "$(lines_of '{\n' 71 '}')"
expect sizes 'has 501 lines' gateway/long.c "$(lines_of '' 499 'y;')"
expect sizes 'has 121 lines' gateway/long.h "$(lines_of '' 119 'y;')"

expect hubs 'sleep()' router/hubs/chat.c '\tsleep(1);'
expect hubs 'getaddrinfo()' router/hubs/chat.c '\trc = getaddrinfo(a, b, c, d);'
expect hubs 'pthread_mutex_lock()' router/hubs/chat.c '/* why */ pthread_mutex_lock(&m);'
expect hubs 'time()' router/hubs/chat.c 'now = time(NULL);'

expect hubs 'declares hub_arg(), which is not listed' router/hub_call.h '/* x */ int\nhub_arg(struct hub_call *call,\n\tint n);'
expect hubs 'hub_gone is listed' router/hub.exports '{\n\thub_gone;\n};'
expect tree 'no SPDX' gateway/bare.c bare
expect tree 'no SPDX' router/hubs/bare.hub bare
expect tree 'issue number' gateway/conn.c '/* TO''DO: later */'
expect tree 'names a registry' tests/package-lock.json '"resolved": "x"'
expect tree 'conn.c:13: a line of a comment does not begin' gateway/conn.c '/*\n *not\n */'
expect tree 'conn.c:14: a line of a comment does not begin' gateway/conn.c '\t/* One,\n\t * and\ntwo */'
expect tree 'conn.c:13: a line of a comment is not aligned' gateway/conn.c '\t/* One,\n\t* two. */'
expect tree 'conn.c:14: a line of an item is not indented' gateway/conn.c '/*\n * - One,\n * two.\n */'

expect docs 'no such source' docs/TOUR.md '`nowhere: conn_open`'
expect docs 'does not define conn_open' docs/TOUR.md '`gateway/conn.c: conn_open`'
expect docs 'does not define log_warn' docs/OPERATING.md '`conn.c: log_warn()`'
expect docs 'does not define CONN_MIN' docs/TOUR.md '`conn.c: CONN_MIN`'
expect docs 'does not define CONN_M' docs/OPERATING.md '`conn.c: CONN_M`'
expect docs '`conn.h`: no such file' docs/TOUR.md '`conn.h`'
expect docs '`tests/none.sh`: no such file' docs/TOUR.md '`tests/none.sh`'
expect docs 'leads nowhere' docs/TOUR.md 'see [this](../none.md)'
expect docs 'not listed' gateway/conn.c '\tlog_error(\n\t\t"conn.lost", "");'
expect docs '`conn.silent` is logged' gateway/conn.c '\tstream_fail(x,\n\t\t"conn.silent", "a");'
expect docs '`Slow` is logged' gateway/conn.c '\tlog_warn("Slow", "");'
expect docs 'does not say what to do' docs/OPERATING.md '# Log events\n| `conn.slow` | warn | slow | |'
expect docs 'never logged' docs/OPERATING.md '# Log events\n| `conn.none` | |'

expect mutants 'nothing to change in gateway/conn.c' tests/sim/mutants/old.sed '# file: gateway/conn.c\n# bug: x\ns/no such/code/'
expect mutants 'needs' tests/sim/mutants/old.sed '# file: gateway/none.c\n# bug: x\ns/a/b/'
expect mutants 'needs' tests/sim/mutants/old.sed '# file: gateway/conn.c\ns/conn_on/conn_off/'
expect mutants 'does not list the mutant new' tests/sim/mutants/new.sed '# file: gateway/conn.c\n# bug: x\ns/conn_on/conn_off/'
expect mutants 'lists the mutant gone' docs/RELIABILITY.md '| `gone` | `gateway/conn.c`: x | y |'

# verdict, what it says, the counts: of units committed with 1000 and 50 instructions
expect_instructions() {
	local verdict=$1 text=$2 output rc=pass
	printf '%b\n' "$3" >"$TREE/counts"
	output=$("$HERE/../../bench/instructions.sh" check "$TREE/counts" "$TREE/committed" 2>&1) || rc=fail
	[[ $rc == "$verdict" ]] || die "instructions.sh does not $verdict $3: $output"
	[[ $output == *"$text"* ]] || die "instructions.sh does not say '$text' but: $output"
	n=$((n + 1))
}
printf 'json 1000.0\nring 50.0\n' >"$TREE/counts"
"$HERE/../../bench/instructions.sh" write "$TREE/counts" "$TREE/committed"
expect_instructions pass '+0.0 %' 'json 1000.0\nring 50.0'
expect_instructions pass '+5.0 %' 'json 1050.0\nring 50.0'
expect_instructions fail 'TOO MANY' 'json 1050.6\nring 50.0'
expect_instructions fail 'TOO MANY' 'json 1000.0\nring 53.0'
expect_instructions pass 'fewer' 'json 900.0\nring 50.0'
expect_instructions fail 'ring: NOT COUNTED' 'json 1000.0'
expect_instructions fail 'NOT COMMITTED' 'json 1000.0\nring 50.0\nnew 1.0'
sed -i 's/with gcc/with another gcc/' "$TREE/committed"
expect_instructions pass 'not compared' 'json 2000.0\nring 50.0'

echo "selftest: $n planted breaches found"
