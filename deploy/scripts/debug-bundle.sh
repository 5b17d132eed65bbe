#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Puts what somebody needs to understand a cluster into one file, and no secret of it:
#
#	debug-bundle.sh [--output=FILE] [OPTION...]
#
# Of each process /metrics, /readyz, its last lines of log, those of the process before it;
# the admin API's view of the cluster and its routers; objects, events and configuration.
# Secrets are not read. What looks like one in a log or a configuration (tokens in URLs,
# JWTs, values of passwords) is replaced; user ids, addresses and names of groups are in it:
# give it to those who may know them.
#
# --output=FILE     the tar.gz to write; heliograph-debug-TIME.tar.gz if not given
# --logs=N          so many lines of each log; 5000 if not given
#
# Where Kubernetes plays no part, the processes are named:
#
# --at=HOST:PORT    the admin listener of a process; again for each
# --conf=FILE       a configuration file; again for each
# --log=FILE        a log; again for each
#
set -euo pipefail
# shellcheck source=deploy/scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

OUTPUT=
LOGS=5000
AT=()
CONFS=()
LOG_FILES=()
while (($#)); do
	case $1 in
	--output=?*) OUTPUT=${1#*=} ;;
	--logs=*)
		LOGS=${1#*=}
		is_number "$LOGS" || wrong_words "$1: a number of lines is meant, without zeros in front"
		;;
	--at=?*) AT+=("${1#*=}") ;;
	--conf=?*) CONFS+=("${1#*=}") ;;
	--log=?*) LOG_FILES+=("${1#*=}") ;;
	*) common_option "$1" || wrong_words "$1: no such option" ;;
	esac
	shift
done
need awk curl tar
STAMP=$(date -u +%Y%m%dT%H%M%SZ)
[[ -n $OUTPUT ]] || OUTPUT=heliograph-debug-$STAMP.tar.gz
BUNDLE=$WORK/heliograph-debug-$STAMP
mkdir "$BUNDLE"

# On its way into the bundle everything goes through this. Three dots of base64url are a JWT;
# 71 characters of it a connection token; what is called a password, secret, key or token has
# a value, which ends with its quotes or at a blank. Paths of files are none. What ends one
# secret may begin the next, so these are looked for until there is none.
redact() {
	local named='((password|secret|passwd|requirepass|masterauth|token|api_?key)\\?["\x27]? *[=:] *)'
	sed -E \
		-e 's/eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/REDACTED-JWT/g' \
		-e 's/([Bb]earer )[!-~]+/\1REDACTED/g' \
		-e 's/((access_token|id)=)[A-Za-z0-9_.~+%-]{20,}/\1REDACTED/g' \
		-e ':token' -e 's/(^|[^A-Za-z0-9_-])[A-Za-z0-9_-]{71}([^A-Za-z0-9_-]|$)/\1REDACTED\2/g' -e 't token' \
		-e ':hex' -e 's/(^|[^0-9A-Fa-f])[0-9A-Fa-f]{48,}([^0-9A-Fa-f]|$)/\1REDACTED\2/g' -e 't hex' \
		-e 's#(://[^/@: "]*:)[^@/ "]+@#\1REDACTED@#g' \
		-e 's/((requirepass|masterauth|auth-pass) +)[^ ]+/\1REDACTED/gI' \
		-e "s/$named"'(\\"([^"\\]|\\[^"])+|"([^"\\]|\\.)+"?|\x27[^\x27]+\x27?|[^\\"\x27 ][^" ]*)/\1REDACTED/gI'
}

# file, command...: what it prints, and why not. Nothing missing keeps the rest out.
keep() {
	local file=$BUNDLE/$1
	shift
	mkdir -p "$(dirname "$file")"
	if ! "$@" >"$WORK/kept" 2>"$WORK/kept.err"; then
		{
			echo "failed: $*"
			cat "$WORK/kept.err"
		} | redact >>"$BUNDLE/failed.txt"
	fi
	redact <"$WORK/kept" >"$file"
	[[ -s $file ]] || rm -f "$file"
}

# folder, HOST:PORT
process() {
	keep "$1/metrics.txt" fetch "http://$2/metrics"
	# 503 has its reason in the body.
	keep "$1/readyz.txt" curl --silent --show-error --max-time 10 "http://$2/readyz?verbose"
	keep "$1/livez.txt" curl --silent --show-error --max-time 10 "http://$2/livez"
}

pod() {
	local component=$1 name=$2
	if forward "$name" "$(admin_port "$component")"; then
		process "$name" "$FORWARDED"
		forward_end
	else
		echo "failed: port-forward to $name" >>"$BUNDLE/failed.txt"
	fi
	keep "$name/log.txt" k logs "$name" "--tail=$LOGS"
	keep "$name/log-before.txt" k logs "$name" --previous "--tail=$LOGS"
}

if ((DRY_RUN)); then
	say "would write $OUTPUT"
	exit 0
fi
for address in "${AT[@]}"; do
	process "${address//[^0-9A-Za-z.]/_}" "$address"
done
for file in "${CONFS[@]}" "${LOG_FILES[@]}"; do
	# Where it is: two may have one name.
	keep "files$(realpath -m -- "$file")" tail -n "$LOGS" "$file"
done
if ((${#AT[@]} == 0)); then
	for component in gateway router presence; do
		if ! pods_list "$component" 2>>"$BUNDLE/failed.txt"; then
			echo "failed: the pods of $component" >>"$BUNDLE/failed.txt"
			continue
		fi
		for name in "${PODS[@]}"; do
			say "$name"
			pod "$component" "$name"
		done
	done
	for what in stats cluster routers; do
		keep "api/$what.json" ctl "$what" --json
	done
	for what in deployments statefulsets pods services networkpolicies hpa pdb configmaps; do
		keep "objects/$what.yaml" k get "$what" -o yaml
	done
	keep objects/events.txt k get events --sort-by=.lastTimestamp
	keep objects/version.txt "${KUBECTL_WORDS[@]}" version
fi
# It is there, and empty, when all has gone well.
[[ -s $BUNDLE/failed.txt ]] || rm -f "$BUNDLE/failed.txt"
if [[ -z $(find "$BUNDLE" -type f ! -name failed.txt) ]]; then
	cat "$BUNDLE/failed.txt" >&2 || true
	die 'nothing could be had'
fi
tar -czf "$OUTPUT" -C "$WORK" "$(basename "$BUNDLE")"
say "$OUTPUT: $(find "$BUNDLE" -type f | grep -c .) files"
if [[ -e $BUNDLE/failed.txt ]]; then
	say "$(grep -c '^failed:' "$BUNDLE/failed.txt") things could not be had: failed.txt in it says which"
fi
