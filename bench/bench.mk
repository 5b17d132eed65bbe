# SPDX-License-Identifier: Apache-2.0
#
# What measures: each target prints ratios found side by side in one run, and none of them
# is a test.

# The hub that heliograph-bench speaks to (bench/HUB.md), as a module for the router.
bench_hub := $(B)/bench_hub.so
$(bench_hub): bench/hub/hub.c $(headers) $(B)/flags
	$(say) CC $< && $(CC) -shared $(patsubst -fPIE,-fPIC,$(filter-out -MMD -MP,$(c_flags))) $< -o $@
build all: $(bench_hub)
formatted += bench/hub/hub.c
tidy: $(L)/bench/hub/hub.tidy

# Under 10 minutes; the gateways have core 0, the tool and the rest core 1.
.PHONY: bench
bench: build ## measure all there is to measure: SUITE='fanout latency' for parts of it
	@HELIOGRAPH_BUILD=$(B) bench/suite.sh $(SUITE)

.PHONY: bench-scaling
bench-scaling: build ## what a message costs on 1, 2 and 4 shards and gateways
	@HELIOGRAPH_BUILD=$(B) bench/scaling.sh

.PHONY: bench-peers bench-peers-clean
export PEERS WORKLOADS ROUNDS CORES OPTIONS OUT
bench-peers: $(bins) $(bench_hub) $(B)/bench/micro/floor | deps-run ## other servers beside ours: PEERS WORKLOADS ROUNDS
	@bench/peers/install.sh
	@HELIOGRAPH_BUILD=$(CURDIR)/$(B) node bench/peers/run.js
distclean: bench-peers-clean
bench-peers-clean: ; rm -rf bench/peers/*/node_modules

bench-million: $(bins) $(bench_hub) ## a million idle connections, both ends: CONNECTIONS MINUTES
	@HELIOGRAPH_BUILD=$(B) exec bench/million.sh
.PHONY: bench-million

# Instructions repeat where times do not: the one measurement that CI holds code to.
instructions := bench/instructions.sh
.PHONY: bench-instructions
bench-instructions: $(B)/bench/micro/instructions | deps-test ## fail when a hot path takes 5 % more: UPDATE=1 commits to it
	@CC='$(CC)' $(instructions) count $< > $(B)/instructions.txt
	@CC='$(CC)' $(instructions) $(if $(UPDATE),write,check) $(B)/instructions.txt bench/micro/instructions.txt

# The store in Redis, used as presence uses it.
presence_bench := $(B)/bench/presence/store
$(presence_bench): %: %.o $(B)/libpresence.a $(libs)
	$(say) LINK $@
	$(link) $(third_party) -o $@
formatted += bench/presence/store.c
tidy: $(L)/bench/presence/store.tidy
.PHONY: bench-presence
bench-presence: $(presence_bench) | deps-test ## what presence costs in Redis: CONNECTIONS USERS ROUNDS OUT
	@HELIOGRAPH_BUILD=$(B) exec bench/presence.sh
-include $(presence_bench).d

.PHONY: capacity
capacity: $(bins) $(bench_hub) | deps-run ## memory and CPU for connections and messages, in some ten minutes
	@HELIOGRAPH_BUILD=$(CURDIR)/$(B) node bench/capacity.js
