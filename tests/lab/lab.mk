# SPDX-License-Identifier: Apache-2.0
#
# The lab: a cluster in network namespaces of its own, and what is done to it.
nfqd := $(B)/tests/lab/nfqd
$(nfqd): %: %.o
	$(say) LINK $@
	$(link) -o $@
formatted += tests/lab/nfqd.c
tidy: $(L)/tests/lab/nfqd.tidy
-include $(nfqd).d

lab_needs := $(bins) $(bench_hub) $(nfqd) $(npm_tests)
test: $(nfqd)
.PHONY: lab lab-short deps-lab
deps-lab: ; @deploy/deps.sh lab
lab: $(lab_needs) | deps-test deps-lab ## faults on a cluster in network namespaces: ROW SEED SCALE LONG OUT
	@HELIOGRAPH_BUILD=$(CURDIR)/$(B) node tests/lab/lab.js
lab-short: $(lab_needs) | deps-test deps-lab ## three rows at once, in a minute or two, a gate
	@HELIOGRAPH_BUILD=$(CURDIR)/$(B) node tests/lab/lab.js --short
