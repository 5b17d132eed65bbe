# SPDX-License-Identifier: Apache-2.0
#
# The fuzz targets, tests/fuzz/fuzz_<name>.c, with clang's libFuzzer in build/fuzz-clang/.
# corpus/<name>/ holds the inputs that matter, <name>.dict words of the format; what a run
# finds beyond them stays in build/fuzz/<name>/.
fuzz_src := $(sort $(wildcard tests/fuzz/fuzz_*.c))
fuzz_bins := $(fuzz_src:%.c=$(B)/%)
fuzz_make = @$(MAKE) MODE=fuzz CC=clang-14
TIME ?= 60

.PHONY: fuzz fuzz-build fuzz-smoke fuzz-run fuzz-run-smoke fuzz-bins
fuzz: | deps-build deps-lint ## one target: T=name TIME=seconds
	@[ -f tests/fuzz/fuzz_$(T).c ] || { echo 'T is one of:' \
	$(fuzz_src:tests/fuzz/fuzz_%.c=%); exit 1; }
	$(fuzz_make) fuzz-run
fuzz-build: | deps-build deps-lint
	$(fuzz_make) fuzz-bins
fuzz-smoke: | deps-build deps-lint ## every target: its corpus and a fixed number of inputs
	$(fuzz_make) fuzz-run-smoke
fuzz-run: $(B)/tests/fuzz/fuzz_$(T)
	@tests/fuzz/run.sh $< $(TIME)
fuzz-bins: $(fuzz_bins)
fuzz-run-smoke: $(fuzz_bins)
	@tests/fuzz/smoke.sh $^

# A target gets of the archives what it asks for; of the programs', only its own: two may call
# a function the same.
fuzz_presence := $(filter %/fuzz_admin %/fuzz_store_record,$(fuzz_bins))
$(fuzz_presence): %: %.o $(B)/libpresence.a $(libs)
fuzz_router := $(filter %/fuzz_iso_time %/fuzz_hub_typed %/fuzz_ot %/fuzz_state,$(fuzz_bins))
fuzz_hubgen := $(filter %/fuzz_hub_file,$(fuzz_bins))
$(fuzz_hubgen): %: %.o $(B)/libhubgen.a $(libs)
$(fuzz_router): %: %.o $(B)/librouter.a $(libs)
$(filter-out $(fuzz_presence) $(fuzz_router) $(fuzz_hubgen),$(fuzz_bins)): %: %.o $(B)/libgateway.a $(libs)
$(fuzz_bins):
	$(say) LINK $@
	$(link) -fsanitize=fuzzer $(third_party) -o $@
-include $(fuzz_src:%.c=$(B)/%.d)
