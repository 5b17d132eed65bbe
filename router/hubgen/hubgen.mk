# SPDX-License-Identifier: Apache-2.0
#
# heliograph-hubgen, and what it makes of the interfaces of hubs, router/hubs/<hub>.hub: a
# header in this build's folder, and a module for the TypeScript package, which is committed
# (`make types`). HUBGEN=path takes another one: of the host's, when CC is a cross compiler.
hubgen_src := $(wildcard router/hubgen/*.c)
own_src += $(hubgen_src)
hubgen_bin := $(B)/heliograph-hubgen
HUBGEN ?= $(hubgen_bin)
$(B)/libhubgen.a: $(hubgen_src:router/hubgen/%.c=$(B)/router/hubgen/%.o)
	$(Q)rm -f $@ && ar rcsD $@ $(filter-out %/main.o,$^)
$(hubgen_bin): $(B)/router/hubgen/main.o $(B)/libhubgen.a $(B)/libbase.a
	$(say) LINK $@
	$(link) $(third_party) -o $@

hub_files := $(sort $(wildcard router/hubs/*.hub))
test_hub_files := tests/unit/router/typed.hub
hub_h := $(patsubst %.hub,$(B)/hubs/%.gen.h,$(hub_files) $(test_hub_files))
$(hub_h): $(B)/hubs/%.gen.h: %.hub $(HUBGEN)
	$(say) GEN $<
	$(Q)mkdir -p $(@D) && $(HUBGEN) --c=$@ $<
# Whoever may include one; the .d files know who does.
hub_users := $(wildcard router/hubs/*.c tests/unit/router/*.c tests/fuzz/*.c)
$(hub_users:%.c=$(B)/%.o) $(hub_users:%.c=$(L)/%.tidy): | $(hub_h)
cppcheck: $(hub_h)

# The hub of the tests as a module, for real routers.
typed_hub := $(B)/typed_hub.so
$(typed_hub): tests/unit/router/typed_hub.c $(headers) $(hub_h) $(B)/flags
	$(say) CC $< && $(CC) -shared -DTYPED_HUB_FILE $(patsubst -fPIE,-fPIC,$(filter-out -MMD -MP,$(c_flags))) $< -o $@

# hub file, module: the hubs of the package, and the one of its tests.
types_dir := docs/clients/src/hubs
type_pairs := $(foreach h,$(hub_files),$h:$(types_dir)/$(notdir $(h:.hub=.ts))) \
	$(foreach h,$(test_hub_files),$h:docs/clients/test/$(notdir $(h:.hub=.ts)))
.PHONY: types types-check
types: $(HUBGEN) ## the TypeScript of the hubs, in docs/clients
	@mkdir -p $(types_dir)
	@for pair in $(type_pairs); do $(HUBGEN) --ts=$${pair#*:} $${pair%%:*} || exit 1; done
types-check: $(HUBGEN)
	$(say) TYPES '$(words $(type_pairs)) hubs'
	@for pair in $(type_pairs); do $(HUBGEN) --ts=- $${pair%%:*} | cmp -s - $${pair#*:} || \
	{ echo "$${pair#*:} is not what $${pair%%:*} says; next: make types"; exit 1; }; done
lint: types-check
