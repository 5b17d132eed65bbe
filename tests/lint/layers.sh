#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Who may include whom, read off the #include lines:  tests/lint/layers.sh [root]
#
#	proto/base <- proto/wire <- gateway | router | presence
#	proto/base <- proto/link <- gateway | router | presence
#
# gateway, router and presence never include each other; proto/wire and proto/link do not
# know each other; tests and bench may include anything of ours. Each third-party library has
# one home; a header with no home here is a new dependency, which needs a decision record. What
# stands in docs/ is built outside the tree.
set -euo pipefail
cd "${1:-.}"

# shellcheck disable=SC2016 # the $ are awk's
find . \( -name node_modules -o -name .git -o -path ./build -o -path ./docs \) -prune -o \
	-name '*.[ch]' -printf '%P\n' | LC_ALL=C sort |
	xargs -r awk '
	BEGIN {
		layer["proto/base"] = "^proto/base/"
		layer["proto/wire"] = "^proto/(base|wire)/"
		layer["proto/link"] = "^proto/(base|link)/"
		layer["gateway"] = "^(proto/(base|wire|link)|gateway)/"
		layer["router"] = "^(proto/(base|wire|link)|router)/"
		layer["presence"] = "^(proto/(base|wire|link)|presence)/"

		home["^event2/"] = "^(proto/base/(loop|timer|http_[a-z_]+)[.]|gateway/)"
		home["^nng/"] = "^proto/link/"
		home["^(protobuf-c/|proto/link/link.pb-c.h$)"] = "^proto/link/"
		home["^(jansson|msgpack)"] = "^proto/wire/"
		home["^hiredis/"] = "^proto/base/redis_reply[.]c"
		home["^xxhash.h"] = "^proto/base/hash[.]c"
		home["^openssl/"] = "^(proto/base/(crypto|tls|tls_dial|tls_conn)|gateway/auth_key)[.]c"
		home["^jwt.h"] = "^gateway/auth_mint[.]c"
		home["^wslay/"] = "^bench/micro/"
		home["^ucontext.h"] = "^proto/base/fiber[.]c"
		home["^proto/base/fiber.h"] = "^(proto/base/fiber|router/hub[a-z_]*)[.]c"
		home["^(sanitizer|valgrind)/"] = "^proto/base/"

		libc = "^((sys|netinet|arpa|linux|linux/netfilter|gnu)/[a-z0-9_-]+|assert|ctype|dirent|dlfcn|elf|errno|fcntl|" \
			"fenv|float|fnmatch|ftw|getopt|grp|inttypes|limits|link|locale|malloc|math|netdb|poll|" \
			"pthread|pwd|sched|setjmp|signal|spawn|stdalign|stdarg|stdatomic|" \
			"stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|syslog|" \
			"termios|time|unistd|wchar)[.]h$"
	}
	function breach(text) {
		printf "%s:%d: %s: %s\n", FILENAME, FNR, header, text
		failed = 1
	}
	# The folder that decides about a file: proto/base, gateway, tests, ...
	function folder(path, part) {
		split(path, part, "/")
		return part[1] == "proto" ? part[1] "/" part[2] : part[1]
	}
	/^[ \t]*#[ \t]*include[ \t]/ {
		header = $0
		sub(/^[^"<]*["<]/, "", header)
		sub(/[">].*$/, "", header)
		where = folder(FILENAME)
		is_ours = $0 ~ /"/
		is_free = where == "tests" || where == "bench"
		has_home = 0
		for (name in home) {
			if (header !~ name)
				continue
			has_home = 1
			if (FILENAME !~ home[name] && !is_free)
				breach("may only be included by " home[name])
		}
		if (is_ours && header !~ /^(proto|gateway|router|presence|bench|tests)\//)
			breach("write the path from the root of the tree")
		else if (is_ours && !is_free && header !~ layer[where])
			breach(where " may only include " layer[where])
		else if (!is_ours && header ~ /^criterion\// && where != "tests")
			breach("Criterion is for tests")
		else if (!is_ours && !has_home && header !~ libc && header !~ /^criterion\//)
			breach("a library without a home: see tests/lint/layers.sh")
	}
	END { exit failed }'
