#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What hubs may use:  tests/lint/hubs.sh [root]
#
# - No blocking call, lock, thread or clock of libc's in hub methods: a hub shares its thread
#   with all others; only hub_await_*() may wait.
# - router/hub.exports, what files with hubs find in a router, has every function that
#   router/hub.h and the headers behind it declare, and no other.
set -euo pipefail
cd "${1:-.}"

BANNED='sleep|usleep|nanosleep|clock_nanosleep|select|pselect|poll|ppoll|epoll_wait|pause'
BANNED+='|sigwait|sigsuspend|wait|waitpid|waitid|flock|lockf|fsync|fdatasync|sync'
BANNED+='|open|openat|creat|fopen|freopen|popen|opendir|read|pread|readv|write|pwrite|writev'
BANNED+='|fread|fwrite|fgets|fputs|fprintf|printf|puts|scanf|fscanf|getline'
BANNED+='|socket|connect|accept|accept4|recv|recvfrom|recvmsg|send|sendto|sendmsg'
BANNED+='|getaddrinfo|gethostbyname|getnameinfo|system|fork|vfork|execv|execve|execvp'
BANNED+='|pthread_[a-z_]+|sem_wait|sem_timedwait|mtx_lock|cnd_wait'
BANNED+='|time|clock|clock_gettime|gettimeofday|rand|random|srand|srandom'

failed=0

# The headers that $1 includes, itself included, as far as they are ours.
headers_of() {
	local seen=" $1 " queue=("$1") file next
	while ((${#queue[@]})); do
		file=${queue[0]}
		queue=("${queue[@]:1}")
		[[ -e $file ]] || continue
		echo "$file"
		while read -r next; do
			[[ $seen != *" $next "* ]] || continue
			seen+="$next "
			queue+=("$next")
		done < <(sed -nE 's/^[ \t]*#[ \t]*include "([^"]+)".*/\1/p' "$file")
	done
}

# The functions that headers on stdin declare, without those that they define.
declared() {
	xargs -r cat | awk '
		/^[ \t]*#/ || is_macro { is_macro = /\\$/; next }
		{ text = text " " $0 }
		END {
			while (match(text, /\/\*([^*]|\*+[^*\/])*\*+\//))
				text = substr(text, 1, RSTART - 1) " " substr(text, RSTART + RLENGTH)
			while (match(text, /[{][^{}]*[}]/))
				text = substr(text, 1, RSTART - 1) ";" substr(text, RSTART + RLENGTH)
			n = split(text, part, ";")
			for (i = 1; i <= n; i++) {
				if (part[i] ~ /static inline|typedef/ ||
				    !match(part[i], /(hub|value|slice)_[a-z0-9_]+[(]/))
					continue
				print substr(part[i], RSTART, RLENGTH - 1)
			}
		}' | LC_ALL=C sort -u
}

if [[ -e router/hub.exports ]]; then
	exported=$({ grep -oE '[a-z0-9_*]+;' router/hub.exports || true; } | tr -d ';' | LC_ALL=C sort)
	api=$(headers_of router/hub.h | grep -E '^(router/hub[a-z_]*|proto/base/slice|proto/wire/value)[.]h$' | declared)
	while read -r name; do
		echo "router/hub.exports: the hub API declares $name(), which is not listed"
		failed=1
	done < <(LC_ALL=C comm -13 <(echo "$exported") <(echo "$api") | sed '/^$/d')
	while read -r name; do
		echo "router/hub.exports: $name is listed, which no header of the hub API declares"
		failed=1
	done < <(LC_ALL=C comm -23 <(echo "$exported") <(echo "$api") | sed '/^$/d')
fi

[[ -d router/hubs ]] || exit $failed
# shellcheck disable=SC2016 # the $ are awk's
find router/hubs -name '*.[ch]' | LC_ALL=C sort | xargs -r awk -v banned="$BANNED" '
	FNR == 1 { in_comment = 0 }
	{
		line = $0
		gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
		gsub(/\/\*.*\*\//, "", line)
		if (in_comment && line !~ /\*\//)
			next
		if (in_comment)
			sub(/^.*\*\//, "", line)
		in_comment = line ~ /\/\*/
		sub(/\/[*\/].*$/, "", line)
		if (match(line, "(^|[^A-Za-z0-9_.>])(" banned ")[ \t]*[(]")) {
			call = substr(line, RSTART, RLENGTH)
			gsub(/[^A-Za-z0-9_]/, "", call)
			printf "%s:%d: %s() may block, or bypasses the loop\n", FILENAME, FNR, call
			failed = 1
		}
	}
	END { exit failed }' || failed=1
exit $failed
