# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# What the scripts of this folder share; not to be run. A script sets nothing of it but what
# it says; whoever runs one may set KUBECTL, the words of a command that is kubectl.

SCRIPT=$(basename "$0")
NAMESPACE=heliograph
TIMEOUT=300
DRY_RUN=0
read -r -a KUBECTL_WORDS <<<"${KUBECTL:-kubectl}"
SELECTOR=app.kubernetes.io/name=heliograph,app.kubernetes.io/component
CTL_WORDS=(/usr/sbin/heliograph-presence ctl --address=127.0.0.1:8090
	--token-file=/run/secrets/heliograph/admin.token)

umask 077
WORK=$(mktemp -d "${TMPDIR:-/tmp}/heliograph-scripts.XXXXXX")
FORWARD_PID=
FORWARD_OUT=
forward_end() {
	if [[ -n $FORWARD_PID ]]; then
		kill "$FORWARD_PID" 2>/dev/null || true
		wait "$FORWARD_PID" 2>/dev/null || true
		exec {FORWARD_OUT}<&-
	fi
	FORWARD_PID=
}
trap 'forward_end; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM

# ---- words

say() {
	printf '%s: %s\n' "$SCRIPT" "$*" >&2
}

die() {
	say "$*"
	exit 1
}

# The head of the script, without its licence.
usage() {
	sed -n '4,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"
	cat <<-'END'
		--namespace=NS    where it all is; heliograph if not given
		--timeout=SECONDS how long one step may take; 300 if not given
		--dry-run         say what would be done, and change nothing
		--help            this

		KUBECTL in the environment is the command to use instead of kubectl.
		Exit status: 0 done; 1 it could not be done, or not in time; 2 wrong words.
	END
}

wrong_words() {
	say "$*; $SCRIPT --help tells more"
	exit 2
}

# An option that all have: true when it was one.
common_option() {
	case $1 in
	--namespace=?*) NAMESPACE=${1#*=} ;;
	--timeout=*)
		TIMEOUT=${1#*=}
		is_number "$TIMEOUT" || wrong_words "$1: a number of seconds is meant, without zeros in front"
		;;
	--dry-run) DRY_RUN=1 ;;
	--help)
		usage
		exit 0
		;;
	*) return 1 ;;
	esac
}

# Without a zero in front: arithmetic would read it in octal, and text that is compared, or
# put into the cluster, would be another one than kubectl answers.
is_number() {
	[[ $1 =~ ^(0|[1-9][0-9]{0,5})$ ]]
}

need() {
	local command
	for command; do
		command -v "$command" >/dev/null || die "$command is needed, and not installed"
	done
}

# ---- doing

k() {
	local verb=$1
	shift
	"${KUBECTL_WORDS[@]}" "$verb" -n "$NAMESPACE" "$@"
}

# What changes something goes through this.
change() {
	if ((DRY_RUN)); then
		say "would do: $*"
	else
		"$@"
	fi
}

# command...: until it succeeds, soon and then a second apart; false after TIMEOUT.
until_true() {
	local end=$((SECONDS + TIMEOUT)) tenths=1
	until "$@"; do
		((SECONDS < end)) || return 1
		sleep "$((tenths / 10)).$((tenths % 10))"
		tenths=$((tenths < 5 ? 2 * tenths : 10))
	done
}

# what, command...: the same; ends the script when it is false.
until_done() {
	local what=$1
	shift
	((DRY_RUN)) || until_true "$@" || die "waited $TIMEOUT s in vain for $what"
}

# The names of a component's pods, a line each; --ending: those too that are told to end.
pods() {
	local fields=1
	[[ ${2:-} != --ending ]] || fields=2
	k get pods -l "$SELECTOR=$1" \
		-o 'jsonpath={range .items[*]}{.metadata.name}{" "}{.metadata.deletionTimestamp}{"\n"}{end}' |
		awk -v fields=$fields 'NF > 0 && NF <= fields { print $1 }'
}

# Those of pods() into the array PODS; fails when kubectl does, or there is none: who has not
# been asked has not answered.
pods_list() {
	local list
	list=$(pods "$1") && [[ -n $list ]] || return 1
	# shellcheck disable=SC2034 # for who asked
	mapfile -t PODS <<<"$list"
}

replicas() {
	k get "$1" -o 'jsonpath={.spec.replicas}'
}

# The admin API, asked by a presence's own ctl: there is no shell in the image, and needs none.
ctl() {
	local pod
	for pod in $(pods presence); do
		if k exec "$pod" -c presence -- "${CTL_WORDS[@]}" "$@" 2>"$WORK/ctl.err"; then
			return 0
		fi
	done
	cat "$WORK/ctl.err" >&2
	return 1
}

# The value of a member that is a text, of JSON on one line.
json_text() {
	sed -n 's/.*"'"$1"'": *"\([^"]*\)".*/\1/p'
}

# No change of routers is under way: while they change, no gateway hands its clients over. One that
# cannot begin (a router that is wanted is absent, or the list will not do) is waited for by
# nobody. MAP: what presence said.
routers_stay() {
	MAP=$(ctl routers --json) || return 1
	[[ $(json_text phase <<<"$MAP") == stable &&
		$(json_text state <<<"$MAP") =~ ^(rest|absent|refused|untold)$ ]]
}

# pod, port: makes it reachable at $FORWARDED, until forward_end.
forward() {
	local line
	forward_end
	# Not by k(): the process to be ended would be a shell of ours, and kubectl go on.
	exec {FORWARD_OUT}< <(exec "${KUBECTL_WORDS[@]}" port-forward -n "$NAMESPACE" "pod/$1" ":$2" 2>"$WORK/forward.err")
	FORWARD_PID=$!
	while IFS= read -r -t 10 line <&"$FORWARD_OUT"; do
		[[ $line =~ ^Forwarding\ from\ (127[.0-9]*:[0-9]+)\  ]] || continue
		FORWARDED=${BASH_REMATCH[1]}
		return 0
	done
	forward_end
	return 1
}

# The port of /metrics and its kin.
admin_port() {
	if [[ $1 == presence ]]; then echo 8090; else echo 9090; fi
}

fetch() {
	curl --silent --show-error --fail --max-time 10 "$1"
}

# component, pod, path: what its admin listener answers.
pod_fetch() {
	local rc=0
	forward "$2" "$(admin_port "$1")" || return 1
	fetch "http://$FORWARDED$3" || rc=1
	forward_end
	return "$rc"
}

# The sum of all rows of a metric, from an exposition on stdin; none: fails.
metric() {
	awk -v name="$1" '
		$1 == name || index($1, name "{") == 1 { sum += $2; n++ }
		END { if (!n) exit 1; printf "%.0f\n", sum }'
}
