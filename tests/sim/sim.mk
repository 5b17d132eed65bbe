# SPDX-License-Identifier: Apache-2.0
#
# The simulation: the programs' own objects, but for those that touch the system, which
# tests/sim has stand-ins for (README.md). Each program is linked into one object whose names
# the others do not see, but for what tests/sim asks for.
sim := $(B)/tests/sim/sim
sim_src := $(sort $(wildcard tests/sim/*.c))
sim_obj := $(sim_src:%.c=$(B)/%.o)
sim_replaced := $(addprefix $(B)/,proto/base/loop.o proto/base/mem.o proto/base/proc.o \
	proto/link/pipe.o proto/link/pipe_open.o proto/link/pipe_set.o router/hub_crash.o router/hubs/relay.o)
sim_gateway := $(call object,$(filter-out %/main.c,$(call src_of,gateway))) $(B)/tests/sim/inspect_gateway.o
sim_router := $(filter-out $(sim_replaced),$(call object,$(filter-out %/main.c,$(call src_of,router)))) \
	$(addprefix $(B)/tests/sim/,inspect_router.o hub.o crash.o)
sim_presence := $(call object,$(filter-out %/main.c,$(call src_of,presence))) $(B)/gen/presence/embed.o $(B)/tests/sim/inspect_presence.o
sim_programs := $(addprefix $(B)/tests/sim/,gateway.whole.o router.whole.o presence.whole.o)
$(B)/tests/sim/gateway.whole.o: $(sim_gateway)
$(B)/tests/sim/router.whole.o: $(sim_router)
$(B)/tests/sim/presence.whole.o: $(sim_presence)
whole_program = $(Q)mkdir -p $(@D) && ld -r -o $@.all $(filter %.o,$^) && objcopy --wildcard \
	--keep-global-symbol='$(notdir $*)_proc_ops' --keep-global-symbol='inspect_*' $@.all $@ && rm $@.all
$(sim_programs): %.whole.o: tests/sim/sim.mk
	$(whole_program)
sim_proto := $(filter-out $(sim_replaced),$(foreach l,base wire link,$(call lib_objects,$l)))
sim_own := $(filter-out $(sim_gateway) $(sim_router) $(sim_presence),$(sim_obj))
sim_wraps := socket setsockopt bind listen getsockname accept4 close shutdown recv send sendmsg getrlimit64 \
	clock_gettime getrandom
link_sim = $(Q)$(CC) $(ld_flags) $(sim_wraps:%=-Wl,--wrap=%) $(filter %.o,$^) $(third_party) -o $@
$(sim): $(sim_own) $(sim_programs) $(sim_proto)
	$(say) LINK $@
	$(link_sim)

# A mutant is one file with a bug planted in it (mutants/*.sed), and all else as it is.
ifdef MUTANT
mutant := $(B)/tests/sim/mutants/$(MUTANT)
mutant_sed := tests/sim/mutants/$(MUTANT).sed
mutant_file := $(shell sed -n 's/^# file: //p' $(mutant_sed))
swapped = $(patsubst $(B)/$(mutant_file:.c=.o),$(mutant)/mutant.o,$1)
mutant_programs := $(foreach p,gateway router presence,$(mutant)/$p.whole.o)
$(mutant)/mutant.c: $(mutant_sed) $(mutant_file)
	@mkdir -p $(@D) && sed -f $< $(mutant_file) > $@ && ! cmp -s $@ $(mutant_file) || \
	{ rm -f $@; echo '$<: finds nothing to change in $(mutant_file)'; exit 1; }
$(mutant)/mutant.o: $(mutant)/mutant.c $(B)/flags
	$(Q)$(CC) $(filter-out -Werror -MMD -MP,$(c_flags)) -w -c $< -o $@
$(mutant)/gateway.whole.o: $(call swapped,$(sim_gateway))
$(mutant)/router.whole.o: $(call swapped,$(sim_router))
$(mutant)/presence.whole.o: $(call swapped,$(sim_presence))
$(mutant_programs): %.whole.o:
	$(whole_program)
$(mutant)/sim: $(sim_own) $(mutant_programs) $(call swapped,$(sim_proto))
	$(link_sim)
endif

N ?= 1000
JOBS ?= $(shell nproc)
.PHONY: sim sim-mutants
sim: $(sim) ## whole clusters in one process, in virtual time: SEED= (one schedule) N= JOBS=
	@$(sim) $(if $(filter command environment%,$(origin SEED)),--seed=$(SEED) --n=1 --verbose,--n=$(N) --jobs=$(JOBS))
sim-mutants: $(sim) ## plant each bug of tests/sim/mutants, which the simulation must find: T= for some
	@HELIOGRAPH_BUILD=$(B) tests/sim/mutants.sh
formatted += $(sim_src) $(wildcard tests/sim/*.h)
-include $(sim_obj:.o=.d)
