#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# No blocking call, lock, thread or clock of libc's in hub methods:  tests/lint/hubs.sh [root]
# A hub shares its thread with all others; only hub_await_*() may wait.
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

[[ -d router/hubs ]] || exit 0
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
	END { exit failed }'
