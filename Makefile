# SPDX-License-Identifier: Apache-2.0
#
# The build: one non-recursive makefile for GNU make 4.3. Sources are found by folder, so a
# new .c needs no line here. Objects go to build/<mode>/ (build/<mode>-clang/ for clang).
# CFLAGS and LDFLAGS of the user are appended; V=1 shows the commands.
MODE ?= release
ifeq ($(origin CC),default)
CC := gcc
endif
WERROR ?= $(if $(wildcard .git),1,0)
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)# a -j of the user's wins
endif
MAKEFLAGS += --no-print-directory --no-builtin-rules
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

Q := $(if $(filter 1,$(V)),,@)
say = @printf '  %-8s %s\n'
is_clang := $(findstring clang,$(notdir $(CC)))
B := build/$(MODE)$(if $(is_clang),-clang)
L := build/lint

# ---- Flags -------------------------------------------------------------------------------
ifeq ($(filter $(MODE),release debug asan tsan fuzz coverage),)
$(error MODE=$(MODE): choose release, debug, asan, tsan, fuzz or coverage)
endif
warn := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wcast-qual \
	-Wstrict-prototypes -Wold-style-definition -Wmissing-prototypes -Wmissing-declarations \
	-Wnull-dereference -Wdouble-promotion -Wformat=2 -Wundef -Wcast-align -Wpointer-arith \
	-Wwrite-strings -Wswitch-enum -Wvla -Walloca -Winit-self -Wunused-macros -Wdate-time \
	-Wredundant-decls -Wimplicit-fallthrough -Wframe-larger-than=8192
warn_gcc := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init \
	-Warith-conversion -Wcast-align=strict -Wtrampolines -Wformat-overflow=2 \
	-Wformat-truncation=2 -Walloc-zero -Wbidi-chars=any
warn_clang := -Wcomma -Wassign-enum -Wconditional-uninitialized -Wreserved-identifier \
	-Wmissing-variable-declarations -Wimplicit-int-conversion
warn += $(if $(is_clang),$(warn_clang),$(warn_gcc)) $(if $(filter 1,$(WERROR)),-Werror)
# Criterion's macros declare and name things that our own code may not.
test_relaxed := -Wpedantic -Wmissing-prototypes -Wmissing-declarations -Wunused-macros \
	-Wmissing-variable-declarations -Wreserved-identifier -Wframe-larger-than=8192
# Instrumented code has larger frames, and paths that only the compiler thinks possible.
ifneq ($(MODE),release)
warn := $(filter-out -Wframe-larger-than=8192 -Wnull-dereference -Wformat-%=2,$(warn))
endif
# Not -ftrivial-auto-var-init=zero: with it gcc 12 clears part of an array that a struct with
# padding behind it has, when the struct is copied inside of an initializer.
harden := -fstack-protector-strong -fstack-clash-protection -fno-common -fno-strict-overflow \
	-fno-delete-null-pointer-checks \
	$(if $(filter x86_64,$(shell uname -m)),-fcf-protection=full) \
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
sanitize := -O1 -fno-sanitize-recover=all -fno-omit-frame-pointer
flags_release := -O2 $(harden)
flags_debug := -Og -g3
flags_asan := -fsanitize=address,undefined $(sanitize)
flags_fuzz := -fsanitize=fuzzer-no-link,address,undefined $(sanitize) -O2
flags_tsan := -fsanitize=thread $(sanitize)
flags_coverage := -O0 --coverage

base_flags := -std=gnu11 -I. -I$(B)/hubs -isystem $(B)/gen -DHELIOGRAPH_VERSION='"$(shell cat VERSION)"'
c_flags = $(base_flags) -g -fPIE -ffile-prefix-map=$(CURDIR)=. $(flags_$(MODE)) $(warn) \
	$(pkg_cflags) -MMD -MP $(CFLAGS)
test_flags = $(if $(is_tsan),-isystem tests/tsan) $(filter-out $(test_relaxed),$(c_flags))
gen_flags = $(filter-out -W%,$(c_flags)) -Wall
ld_flags = -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed \
	$(filter -fsanitize% --coverage,$(flags_$(MODE))) $(LDFLAGS)
# Neither nng nor wslay has a pkg-config file in Debian 12.
# What hub modules find in a router; a router's tests load some, too.
$(B)/heliograph-router $(B)/tests/unit/router/%: exports := -Wl,--dynamic-list=router/hub.exports
# All of it, whether a built-in hub calls it or not; one test looks for all that is exported.
$(B)/heliograph-router $(B)/tests/unit/router/test_hub_module: private whole := $(B)/librouter.a
third_party = $(exports) -lnng -lwslay -lxxhash $(pkg_libs) -lpthread -lm
# libnng also exports nanomsg's names, which Criterion uses: its own library comes first.
criterion = $(if $(is_tsan),,-Wl,--no-as-needed -l:libnanomsg.so.5 -Wl,--as-needed \
	$(shell pkg-config --libs criterion))

# ---- Sources -----------------------------------------------------------------------------
programs := gateway router presence bench
src_of = $(sort $(wildcard $1/*.c $1/hubs/*.c $1/state/*.c))
lib_src := $(foreach l,base wire link,$(call src_of,proto/$l))
bench_src := $(call src_of,bench/micro)
own_src := $(lib_src) $(foreach p,$(programs),$(call src_of,$p)) $(bench_src)
include router/hubgen/hubgen.mk
# Criterion does not start under ThreadSanitizer; tests/tsan stands in for these tests only.
is_tsan := $(filter tsan,$(MODE))
tsan_base := loop resolve
unit_src := $(filter $(if $(is_tsan),tests/unit/proto/link/% $(tsan_base:%=tests/unit/proto/base/test_%.c),%), \
	$(sort $(shell find tests/unit -name 'test_*.c')))
kit_src := $(sort $(shell find tests/unit -name '*.c' -not -name 'test_*.c'))
headers := $(sort $(shell find proto $(programs) bench tests/unit tests/fuzz -name '*.h'))
proto_src := $(wildcard proto/link/link.proto)
gen_c := $(proto_src:%.proto=$(B)/gen/%.pb-c.c)
# Redis's scripts, each put together of its parts, as text in a header.
script_dir := presence/redis
script_parts := $(addprefix $(script_dir)/,head.lua event.lua user.lua gateway.lua connection.lua \
	due.lua ask.lua shards.lua run.lua)
script_h := $(if $(wildcard $(script_dir)),$(B)/gen/$(script_dir)/scripts.h)
include router/state/state.mk
gen_h := $(gen_c:.c=.h) $(script_h) $(state_h)
libs := $(foreach l,link wire base,$(if $(call src_of,proto/$l),$(B)/lib$l.a))
program_libs := $(foreach p,$(programs),$(if $(call src_of,$p),$(B)/lib$p.a))
bins := $(patsubst %/main.c,$(B)/heliograph-%,$(wildcard $(programs:=/main.c)))
bench_bins := $(bench_src:%.c=$(B)/%)
unit_bins := $(unit_src:%.c=$(B)/%)
object = $(patsubst %.c,$(B)/%.o,$1)
objects := $(call object,$(own_src) $(unit_src) $(kit_src)) $(gen_c:.c=.o)

# ---- Packages ----------------------------------------------------------------------------
# Whatever compiles includes packages.mk; making it installs what is missing.
ifneq ($(filter-out help clean distclean deps% fmt fmt-check docs tags check ci,$(MAKECMDGOALS)),)
$(if $(shell deploy/deps.sh --missing build),$(shell rm -f build/packages.mk))
include build/packages.mk
endif
build/packages.mk: deploy/packages.txt Makefile
	@mkdir -p $(@D) && deploy/deps.sh build
	@p='hiredis libevent_core jansson libjwt libprotobuf-c libssl libcrypto'; c=$$(pkg-config --cflags $$p) && \
	l=$$(pkg-config --libs $$p) && printf 'pkg_cflags := %s\npkg_libs := %s\n' "$$c" "$$l" > $@

deps_targets := $(addprefix deps-,build run test browser lint coverage)
$(deps_targets): deps-%:
	@deploy/deps.sh $*

npm_demo := $(patsubst %/package.json,%/node_modules/.installed,$(wildcard deploy/demo/package.json))
npm_tests := $(patsubst %/package.json,%/node_modules/.installed,$(wildcard tests/package.json))
npm_clients := $(patsubst %/package.json,%/node_modules/.installed,$(wildcard docs/clients/package.json))
$(npm_demo) $(npm_tests) $(npm_clients): %/node_modules/.installed: %/package.json %/package-lock.json | deps-run
	$(say) NPM $*
	@cd $* && npm ci --no-audit --no-fund && touch node_modules/.installed
# The TypeScript package; its compiler is the first of its tests.
clients := $(npm_clients:%/node_modules/.installed=%/dist/.made)
$(clients): $(npm_clients) $(wildcard $(addprefix docs/clients/,tsconfig.json src/*.ts src/hubs/*.ts test/*.ts))
	$(say) TSC $(<:%/node_modules/.installed=%)
	@cd docs/clients && rm -rf dist && node_modules/.bin/tsc -p . && touch dist/.made

# The demo page loads both clients from its own folder. The official one is no ES module: where
# ours would load it, it takes it from the page's global.
demo := $(npm_demo:%/node_modules/.installed=%/site/vendor/.made)
$(demo): deploy/demo/signalr.js $(npm_demo) $(clients)
	@rm -rf $(@D) && mkdir -p $(@D)/heliograph && cp $(<D)/node_modules/@microsoft/signalr/dist/browser/signalr.min.js $(@D) && \
	cp docs/clients/dist/src/*.js $(@D)/heliograph && cp $< $(@D)/heliograph && touch $@

# ---- Rules -------------------------------------------------------------------------------
# Other flags than last time: everything is made again.
$(B)/flags: FORCE
	@mkdir -p $(@D); f='$(subst ','\'',$(CC) $(c_flags) $(ld_flags))'; \
	[ "$$f" = "$$(cat $@ 2>/dev/null)" ] || printf '%s\n' "$$f" > $@

# Without protobuf-c's filler constants, which clang misses in a switch over an enum of ours.
$(gen_c) $(gen_c:.c=.h) &: $(proto_src)
	$(say) PROTOC $<
	$(Q)mkdir -p $(B)/gen && protoc-c --c_out=$(B)/gen $< && sed -i '/_ENUM_TO_BE_INT_SIZE/d' $(gen_c:.c=.h)
$(script_h): deploy/script_text.sh $(script_parts) $(script_dir)/open.lua
	$(say) TEXT $(script_dir)
	$(Q)mkdir -p $(@D) && { $< open $(script_dir)/open.lua && $< batch $(script_parts); } > $@
$(B)/presence/store_redis.o: $(script_h)# which no .d names, for it is a system header

# -MMD names no header of -isystem, so link.proto's is named here.
compile = $(say) CC $< && mkdir -p $(@D)
$(B)/%.o: %.c $(B)/flags $(gen_c:.c=.h) | $(gen_h)
	$(compile)
	$(Q)$(CC) $(c_flags) -c $< -o $@
$(B)/tests/%.o: tests/%.c $(B)/flags $(gen_c:.c=.h) | $(gen_h) deps-test
	$(compile)
	$(Q)$(CC) $(test_flags) -c $< -o $@
$(gen_c:.c=.o): %.o: %.c $(B)/flags
	$(compile)
	$(Q)$(CC) $(gen_flags) -c $< -o $@

lib_objects = $(call object,$(call src_of,proto/$1)) $(if $(filter link,$1),$(gen_c:.c=.o))
$(foreach l,base wire link,$(eval $(B)/lib$l.a: $(call lib_objects,$l)))
$(foreach p,$(programs),$(eval $(B)/lib$p.a: $(call object,$(filter-out %/main.c,$(call src_of,$p)))))
# The kits of a folder are for the tests in it, base's for all: two may fake the same thing.
kits := $(patsubst %,$(B)/%kit.a,$(sort $(dir $(kit_src))))
$(foreach k,$(kits),$(eval $k: $(call object,$(filter $(k:$(B)/%kit.a=%)%,$(kit_src)))))
$(program_libs) $(libs) $(kits):
	$(Q)rm -f $@ && ar rcsD $@ $^

link = $(Q)$(CC) $(ld_flags) $(filter %.o,$^) \
	$(if $(whole),-Wl$(comma)--whole-archive $(whole) -Wl$(comma)--no-whole-archive) \
	$(filter-out $(whole),$(filter %.a,$^))
comma := ,
$(bins): $(B)/heliograph-%: $(B)/%/main.o $(B)/lib%.a $(libs)
	$(say) LINK $@
	$(link) $(third_party) -o $@
$(bench_bins): %: %.o $(program_libs) $(libs)
	$(say) LINK $@
	$(link) $(third_party) -o $@
# A test gets its own program's objects, not the others'; archives keep nng out of pure tests.
needs_of = $(filter $(B)/$(dir $1)kit.a $(B)/tests/unit/proto/base/kit.a,$(kits)) \
	$(if $(findstring /hubgen/,$1),$(B)/libhubgen.a) \
	$(if $(filter tests/unit/router/%,$1),$(B)/libhubtest.a) \
	$(filter $(B)/lib$(word 3,$(subst /, ,$1)).a,$(program_libs)) $(libs)
$(foreach t,$(unit_src),$(eval $(t:%.c=$(B)/%): $(t:%.c=$(B)/%.o) $(call needs_of,$t)))
$(unit_bins):
	$(say) LINK $@
	$(link) $(criterion) $(third_party) -o $@

include presence/embed.mk
include router/hubtest/hubtest.mk
include deploy/install.mk
include tests/conformance/conformance.mk
include tests/deploy/deploy.mk

bins += $(hubgen_bin)

# ---- Everyday targets --------------------------------------------------------------------
.PHONY: help deps all build run test test-unit test-lab test-wire test-cluster test-deploy test-clients test-browser check ci \
	ahead asan asan-run tsan coverage lint lint-scripts tidy cppcheck text fmt fmt-check docs \
	bench-micro install uninstall clean distclean compile_commands tags FORCE $(deps_targets)
help: ## this list
	@echo 'make TARGET [MODE=release|debug|asan|tsan|coverage] [CC=clang-14] [V=1] [T=pattern]'
	@awk -F ':.*## ' '/^[a-z][a-z_ -]*:.*## / { printf "  %-24s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
deps: ## install what building, running, testing and linting need
	@deploy/deps.sh build run test lab browser lint && echo 'deps: all there'
build all: $(bins) ## the programs, in build/<mode>/
export PORT ADMIN_PORT GATEWAYS ROUTERS REDIS PRESENCES T
run: $(bins) $(demo) | deps-run ## a cluster on loopback: PORT ADMIN_PORT GATEWAYS ROUTERS REDIS PRESENCES
	@HELIOGRAPH_BUILD=$(B) exec deploy/local/run.sh

# abort_on_error: Criterion passes a test that only leaks unless the process dies of it.
# ignore_noninstrumented_modules: nng counts references with atomics that TSan cannot see.
asan_opts := abort_on_error=1:detect_stack_use_after_return=1:strict_string_checks=1
tsan_opts := TSAN_OPTIONS=halt_on_error=1:ignore_noninstrumented_modules=1:atexit_sleep_ms=0
run_tests = @ASAN_OPTIONS=$(asan_opts) UBSAN_OPTIONS=print_stacktrace=1 \
	$(tsan_opts) HELIOGRAPH_BUILD=$(CURDIR)/$(B) tests/run.sh
node_needs := $(bins) $(sdk) $(testhub) $(typed_hub) $(B)/bench_hub.so $(B)/bench/micro/floor $(npm_tests) $(demo) $(clients)
test: $(unit_bins) $(node_needs) $(npm_compat) $(deploy_needs) | deps-test deps-browser ## every test; T=pattern for one
	$(run_tests) unit lab deploy wire cluster compat clients browser
test-unit: $(unit_bins) | deps-test ## Criterion, one binary a module
	$(run_tests) unit
test-lab test-wire test-cluster: test-%: $(node_needs) | deps-test ## official clients, real processes
	$(run_tests) $*
test-deploy: $(node_needs) $(deploy_needs) | deps-test ## manifests, and what else deploy/ has
	$(run_tests) deploy
test-clients: $(node_needs) | deps-test ## the TypeScript package of docs/clients
	$(run_tests) clients
test-browser: $(node_needs) | deps-test deps-browser ## pages in Chromium
	$(run_tests) browser
check ci: ## what CI runs
	@unset MAKEFLAGS MAKELEVEL MFLAGS; .ci/run

asan: ## unit and wire tests under AddressSanitizer and UBSan
	@$(MAKE) MODE=asan asan-run
ahead: $(unit_bins) $(bins) # of what .ci/run compiles while tests wait
asan-run: $(unit_bins) $(node_needs) | deps-test
	@CC='$(CC)' ASAN_OPTIONS=$(asan_opts) tests/lint/leak.sh
	$(run_tests) unit wire
tsan: ## link, loop and resolver tests under ThreadSanitizer
	@$(MAKE) MODE=tsan T='$(or $(T),proto/link/|base/test_(loop|resolve)[.])' test-unit
coverage: | deps-coverage ## lines covered by the unit tests
	@$(MAKE) MODE=coverage test-unit
	@gcovr --root . --filter '(gateway|router|presence|proto)/' --print-summary build/coverage
bench-micro: $(bench_bins) ## one number a hot path
	@set -e; for b in $^; do echo "== $$b"; $$b; done

# ---- Gates -------------------------------------------------------------------------------
scripts := .ci/run $(shell find deploy tests bench presence -name node_modules -prune -o -name '*.sh' -print)
formatted := $(own_src) $(unit_src) $(kit_src) $(fuzz_src) $(headers)
lint: fmt-check tidy cppcheck text lint-scripts ## every static gate; a second run is fast
fmt: | deps-lint ## format the sources in place
	@clang-format-14 -i $(formatted)
fmt-check: | deps-lint ## fail when `make fmt` would change something
	$(say) FORMAT '$(words $(formatted)) files'
	@clang-format-14 --dry-run -Werror $(formatted) || { echo 'next: make fmt'; exit 1; }
tidy: $(own_src:%.c=$(L)/%.tidy)
$(L)/%.tidy: %.c .clang-tidy | $(gen_h) deps-lint
	$(say) TIDY $< && mkdir -p $(@D)
	@tests/lint/tidy.sh $< $(base_flags)
	@$(CC) $(base_flags) -MM -MP -MT $@ -MF $@.d $< && touch $@
cppcheck: $(gen_h) | deps-lint
	$(say) CPPCHECK '$(words $(own_src)) files' && mkdir -p $(L)/cppcheck
	@cppcheck --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--std=c11 -I. --quiet -j 2 --cppcheck-build-dir=$(L)/cppcheck $(own_src)
text: | deps-lint
	$(say) TEXT 'shellcheck, codespell'
	@shellcheck $(scripts) && codespell -L fo,nd,hel,falsy,ot --skip='.git,build,corpus,dist,node_modules,vendor,package-lock.json,LICENSE' .
lint-scripts:
	$(say) RULES 'layers sizes hubs tree docs mutants'
	@tests/lint/selftest.sh; rc=$$?; for s in layers sizes hubs tree docs mutants; do tests/lint/$$s.sh . || rc=1; done; exit $$rc
docs: ; @tests/lint/docs.sh . && echo 'docs: fine' ## check links, names, log events
clean: ; rm -rf build ## remove build/
distclean: clean ## also what npm installed, and the editor's files
	rm -rf deploy/demo/{node_modules,site/vendor} docs/clients/{dist,node_modules} tests/{,deploy/}node_modules compile_commands.json tags
json_flags = $(foreach f,$(filter-out -D%,$(base_flags)) $(warn) $(pkg_cflags),"$f",)
compile_commands: $(gen_h) ## compile_commands.json for editors
	@{ s='['; for f in $(own_src) $(unit_src) $(kit_src); do printf \
	'%s{"directory":"%s","file":"%s","arguments":["%s",%s"-c","%s"]}\n' \
	"$$s" '$(CURDIR)' $$f '$(CC)' '$(json_flags)' $$f; s=,; done; echo ']'; } > $@.json
tags: ; @ctags $(formatted) ## for editors
include bench/bench.mk
include tests/fuzz/fuzz.mk
include tests/sim/sim.mk
include tests/lab/lab.mk
include deploy/image/image.mk
-include $(objects:.o=.d) $(own_src:%.c=$(L)/%.tidy.d)
