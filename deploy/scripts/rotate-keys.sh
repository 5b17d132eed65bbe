#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Changes a key of a cluster that runs, without anybody noticing:
#
#	rotate-keys.sh link|token|auth|admin|redis-presence|redis-router [OPTION...]
#
# The new one is accepted everywhere before it is used anywhere (docs/OPERATING.md, "Keys"),
# and before each next step all processes have shown that they have taken the last one. A run
# that ends half-way says what it has written; it can stay like that, and is simply run again. An old connection token, JWT or admin token
# stays good until the next rotation; an old link key or password ends with this one.
#
# --drop            the old one is not good any more when this ends: a client that began with
#                   it, and still needs it, has to connect anew
# --secret=FILE     the new one, instead of a random one: the file's first line
#
# Where Kubernetes plays no part, the files and processes are named (not redis-*):
#
# --file=FILE       the file with the key; again for each copy of it that is on this machine.
#                   Of a symbolic link what it leads to is written, and the link stays
# --at=HOST:PORT    the admin listener of a process that reads it; again for each, workers too
# --reload=COMMAND  makes them read it again (systemctl reload 'heliograph-*'); not given:
#                   they look by themselves (reload_interval)
#
set -euo pipefail
# shellcheck source=deploy/scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

KIND=
DROP=0
SECRET_FILE=
FILES=()
AT=()
RELOAD=

while (($#)); do
	case $1 in
	--drop) DROP=1 ;;
	--secret=?*) SECRET_FILE=${1#*=} ;;
	--file=?*) FILES+=("${1#*=}") ;;
	--at=?*) AT+=("${1#*=}") ;;
	--reload=?*) RELOAD=${1#*=} ;;
	-*) common_option "$1" || wrong_words "$1: no such option" ;;
	*)
		[[ -z $KIND ]] || wrong_words "$1: one kind of key at a time"
		KIND=$1
		;;
	esac
	shift
done

# The Secret, the key in it, which components read it, and the gauge that tells of it; of
# Redis its user, too.
REDIS_USER=
case $KIND in
link) SECRET=link KEY=link.key COMPONENTS='router gateway presence' FINGERPRINT=link_key_fingerprint DROP=1 ;;
token) SECRET=clients KEY=token.key COMPONENTS=gateway FINGERPRINT=token_key_fingerprint ;;
auth) SECRET=clients KEY=auth.key COMPONENTS=gateway FINGERPRINT=auth_key_fingerprint ;;
admin) SECRET=admin KEY=admin.token COMPONENTS=presence FINGERPRINT=admin_token_fingerprint ;;
redis-presence) SECRET=redis-presence KEY=redis.password COMPONENTS=presence REDIS_USER=heliograph ;;
redis-router) SECRET=redis-router KEY=redis.password COMPONENTS=router REDIS_USER=heliograph-hubs ;;
'') wrong_words 'which key? link, token, auth, admin, redis-presence or redis-router' ;;
*) wrong_words "$KIND: link, token, auth, admin, redis-presence or redis-router is meant" ;;
esac
[[ -z $REDIS_USER ]] || FINGERPRINT=redis_password_fingerprint DROP=1
if ((${#FILES[@]} > 0)); then
	[[ -z $REDIS_USER ]] || wrong_words "$KIND: not with --file; docs/OPERATING.md tells the steps"
	((${#AT[@]} > 0)) || wrong_words '--file without --at: nobody would be asked whether it has been read'
elif ((${#AT[@]} > 0)) || [[ -n $RELOAD ]]; then
	wrong_words '--at and --reload go with --file'
fi
need awk base64 curl od readlink sha256sum
for i in "${!FILES[@]}"; do
	target=$(readlink -e "${FILES[i]}" || true)
	[[ -f $target ]] || die "${FILES[i]}: no file, and no link to one"
	FILES[i]=$target
done

# ---- how far it is

STEP= # what is under way; none: nothing is
WROTE=() # in this step

# what it is for
step_begin() {
	STEP=$1
	WROTE=()
	say "$KIND: next: $STEP"
}

step_end() {
	((DRY_RUN)) || say "$KIND: $STEP"
	STEP=
}

# However this ends: what there is now, and how to go on.
step_left() {
	[[ -n $STEP ]] || return 0
	say "$KIND: not done: $STEP"
	if ((${#WROTE[@]} > 0)); then
		say "$KIND: written in this step, and perhaps not read by all: ${WROTE[*]}"
	else
		say "$KIND: nothing was written in this step"
	fi
	say "$KIND: it can stay like this, all keys in use are accepted; mend what failed, then run the same again"
}
trap 'step_left; forward_end; rm -rf "$WORK"' EXIT

# ---- where the key is

# secret, key in it
secret_get() {
	k get secret "$1" -o "jsonpath={.data.${2//./\\.}}" | base64 -d
}

# secret, key in it, the new content in a file: never on a command line.
secret_put() {
	printf '{"data":{"%s":"%s"}}\n' "$2" "$(base64 -w 0 "$3")" >"$WORK/patch.json"
	change k patch secret "$1" --type=merge --patch-file="$WORK/patch.json" >&2
	((DRY_RUN)) || WROTE+=("Secret $1, $2")
	rm -f "$WORK/patch.json"
}

file_put() {
	local file
	for file in "${FILES[@]}"; do
		if ((DRY_RUN)); then
			say "would write: $file"
			continue
		fi
		# As it was, but for what is in it; and never half of it.
		cp -p "$file" "$file.new"
		cat "$1" >"$file.new"
		mv "$file.new" "$file"
		WROTE+=("$file")
	done
	[[ -z $RELOAD ]] || change bash -c "$RELOAD" || die "--reload=$RELOAD: it ended with $?"
}

lines_get() {
	if ((${#FILES[@]} > 0)); then
		cat "${FILES[0]}"
	else
		secret_get "$SECRET" "$KEY"
	fi | tr -d '\r' | sed '/^$/d'
}

# what it is for, then lines
lines_put() {
	local fingerprint
	step_begin "$1"
	shift
	printf '%s\n' "$@" >"$WORK/lines"
	if ((${#FILES[@]} > 0)); then
		file_put "$WORK/lines"
	else
		secret_put "$SECRET" "$KEY" "$WORK/lines"
	fi
	fingerprint=$(fingerprint_of "$WORK/lines") || die "the Secret link cannot be read"
	until_done "all processes to have read it" all_have "$fingerprint"
	step_end
}

# ---- who has it

# What those show who have read the file: eight hexadecimal digits. Passwords may be short:
# they are behind the link key's first line, without which nobody can try them.
fingerprint_of() {
	local key=
	if [[ -n $REDIS_USER ]]; then
		key=$(secret_get link link.key | tr -d '\r' | awk 'length && !n++') && [[ -n $key ]] || return 1
	fi
	{
		[[ -z $key ]] || printf '%s\n' "$key"
		cat "$1"
	} | sha256sum | cut -c1-8
}

# Of one exposition on stdin.
shows() {
	local value
	value=$(metric_of "$FINGERPRINT") || return 1
	[[ $value == $((16#$1)) ]]
}

# Whichever program it is of.
metric_of() {
	awk -v name="$1" '
		$1 ~ "^(gateway|router|presence)_" name "$" { value = $2; n++ }
		END { if (n != 1) exit 1; printf "%.0f\n", value }'
}

declare -A HAVE=() # what a pod has shown last: who has shown it once need not again

all_have() {
	local component pod address n=0
	for address in "${AT[@]}"; do
		fetch "http://$address/metrics" 2>/dev/null | shows "$1" || return 1
		n=$((n + 1))
	done
	if ((${#FILES[@]} == 0)); then
		for component in $COMPONENTS; do
			pods_list "$component" || return 1
			for pod in "${PODS[@]}"; do
				n=$((n + 1))
				[[ ${HAVE[$pod]:-} != "$1" ]] || continue
				pod_fetch "$component" "$pod" /metrics 2>/dev/null | shows "$1" || return 1
				HAVE[$pod]=$1
			done
		done
	fi
	((n > 0))
}

# ---- Redis's own side: the file of its users, and a restart that reads it

# what it is for, then the passwords that are good for the user, in hashes
users_put() {
	local rights
	step_begin "$1"
	shift
	secret_get redis users.acl >"$WORK/users"
	grep -q "^user $REDIS_USER on " "$WORK/users" || die "Secret redis, users.acl: no user $REDIS_USER"
	# What follows the passwords are rights.
	rights=$(sed -n "s/^user $REDIS_USER on \(#[0-9a-f]* \)*//p" "$WORK/users")
	{
		sed "/^user $REDIS_USER /d" "$WORK/users"
		printf 'user %s on' "$REDIS_USER"
		printf ' #%s' "$@"
		printf ' %s\n' "$rights"
	} >"$WORK/users.new"
	secret_put redis users.acl "$WORK/users.new"
	change k rollout restart statefulset/redis >&2
	change k rollout status statefulset/redis "--timeout=${TIMEOUT}s" >&2
	step_end
}

# Of each password, a line each.
hashes() {
	local password
	for password; do
		printf %s "$password" | sha256sum | cut -d' ' -f1
	done
}

# ---- the steps

mapfile -t LINES_NOW < <(lines_get)
((${#LINES_NOW[@]} > 0)) || die "$KIND: there is no key to begin with"
# All of them: where a run was stopped, some pods may have the first, others the last only.
mapfile -t HASHES < <(hashes "${LINES_NOW[@]}")
# The oldest of three makes room.
((${#LINES_NOW[@]} < 3)) || LINES_NOW=("${LINES_NOW[@]:0:2}")
if [[ -n $SECRET_FILE ]]; then
	IFS= read -r NEW <"$SECRET_FILE" || [[ -n $NEW ]] || die "$SECRET_FILE: it is empty"
	NEW=${NEW%$'\r'}
	[[ ! $NEW =~ [[:cntrl:]] ]] || die "$SECRET_FILE: there are control characters in it"
else
	NEW=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
fi
((${#NEW} >= 32)) || die 'the new key has fewer than 32 characters'
# The same --secret again, behind a run that was stopped: as another line it would drive out
# the old one, which is to stay good.
OTHERS=()
for line in "${LINES_NOW[@]}"; do
	[[ $line == "$NEW" ]] || OTHERS+=("$line")
done
((${#OTHERS[@]} == 0)) || LINES_NOW=("${OTHERS[@]}")

if [[ -n $REDIS_USER ]]; then
	users_put 'Redis takes the new password, too' "${HASHES[@]}" "$(hashes "$NEW")"
	lines_put 'the new one is used, the old one still tried' "$NEW" "${LINES_NOW[0]}"
	users_put 'Redis takes the new password only' "$(hashes "$NEW")"
	lines_put 'the old one is dropped' "$NEW"
else
	lines_put 'the new one is accepted' "${LINES_NOW[@]}" "$NEW"
	lines_put 'the new one is used' "$NEW" "${LINES_NOW[@]}"
	if ((DROP)); then
		lines_put 'the old one is dropped' "$NEW"
	elif ((${#LINES_NOW[@]} > 1)); then
		lines_put 'the one before the old one is dropped' "$NEW" "${LINES_NOW[0]}"
	fi
fi
say "$KIND: done"
