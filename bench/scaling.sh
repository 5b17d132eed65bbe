#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What does a message cost when there are more processes to share the work? 1, 2 and 4 router
# shards, then 1, 2 and 4 gateway workers: CPU of all processes together for a delivery, and
# the efficiency, which is what one process needs divided by what n need. Rounds are
# interleaved; medians are told. Prints a table and leaves it in
# bench/results/scaling-<date>.txt.
#
#	ROUNDS=5  SECONDS_EACH=5  IN_FLIGHT=512  GROW=on  RESULTS=bench/results
#
# GROW=on: each of the n processes has IN_FLIGHT messages under way, so that n of them serve
# n times the load. GROW=off: IN_FLIGHT in all, so that each has an n-th of the work; then
# frames and turns hold less, and what is measured is how often threads wake.
set -euo pipefail
cd "$(dirname "$0")/.."

BUILD=${HELIOGRAPH_BUILD:-build/release}
BENCH=$BUILD/heliograph-bench
RESULTS=${RESULTS:-bench/results}
ROUNDS=${ROUNDS:-5}
SECONDS_EACH=${SECONDS_EACH:-5}
IN_FLIGHT=${IN_FLIGHT:-512}
export GROW=${GROW:-on}
COUNTS=(1 2 4)
CONNECTIONS=1000
# Each message reaches one connection: fan-out, which grows with gateways, is not meant.
SCENARIOS=(send-to-connection echo)

# name: a figure of the result at $FILE.
figure() {
	grep -o "\"$1\": *[0-9.e+-]*" "$FILE" | head -n 1 | sed 's/.*: *//'
}

# scenario, what grows, how many: a line for the samples. Inside of a cluster.
measure() {
	local scenario=$1 per=delivery in_flight=$IN_FLIGHT
	[[ $GROW == off ]] || in_flight=$((IN_FLIGHT * $3))
	FILE=$(mktemp)
	[[ $scenario != echo ]] || per=answer
	"$BENCH" --url="$URL" --scenario="$scenario" --connections=$CONNECTIONS --in_flight="$in_flight" \
		--workers=1 --duration="${SECONDS_EACH}s" --json="$FILE" --progress=off \
		--server_pids="gateway:$GATEWAY_PIDS;router:$ROUTER_PIDS" >/dev/null
	printf '%s %s %d %s %s\n' "$scenario" "$2" "$3" \
		"$(figure "gateway_cpu_us_per_$per")" "$(figure "router_cpu_us_per_$per")"
	rm -f "$FILE"
}

# samples: a row for each scenario and count, with medians.
table() {
	sort -k1,3 -s "$1" | awk '
		function median(list, n,   i, j, t) {
			for (i = 2; i <= n; i++)
				for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
					t = list[j]; list[j] = list[j - 1]; list[j - 1] = t
				}
			return list[int((n + 1) / 2)]
		}
		function row(   g, r, all) {
			g = median(gateway, n); r = median(router, n); all = median(sum, n)
			if (base == 0) base = all
			printf "%-20s %-8s %2d %10.2f %10.2f %10.2f %10.2f\n", key[1], key[2], key[3],
				g, r, all, base / all
		}
		BEGIN { printf "%-20s %-8s %2s %10s %10s %10s %10s\n", "us of CPU a message", "of", "n",
			"gateways", "routers", "all", "efficiency" }
		{
			id = $1 " " $2 " " $3
			if (id != last && n > 0) { row(); n = 0 }
			if ($1 " " $2 != of) { base = 0; of = $1 " " $2 }
			last = id; split(id, key, " ")
			n++; gateway[n] = $4; router[n] = $5; sum[n] = $4 + $5
		}
		END { if (n > 0) row() }'
}

if [[ ${1:-} == --measure ]]; then
	shift
	measure "$@"
	exit
fi
[[ -x $BENCH ]] || { echo "scaling: $BENCH is not built: make build" >&2; exit 1; }
samples=$(mktemp)
trap 'rm -f "$samples"' EXIT
for ((round = 0; round < ROUNDS; round++)); do
	for scenario in "${SCENARIOS[@]}"; do
		for n in "${COUNTS[@]}"; do
			GATEWAYS=1 ROUTERS=$n bench/cluster.sh bench/scaling.sh --measure "$scenario" \
				routers "$n" >>"$samples"
			GATEWAYS=$n ROUTERS=1 bench/cluster.sh bench/scaling.sh --measure "$scenario" \
				gateways "$n" >>"$samples"
		done
	done
	echo "scaling: round $((round + 1)) of $ROUNDS is done" >&2
done
mkdir -p "$RESULTS"
{
	echo "# ROUNDS=$ROUNDS SECONDS_EACH=$SECONDS_EACH IN_FLIGHT=$IN_FLIGHT GROW=$GROW bench/scaling.sh"
	table "$samples"
} | tee -a "$RESULTS/scaling-$(date -u +%Y-%m-%d).txt"
