# SPDX-License-Identifier: Apache-2.0
#
# The conformance app: hubs that suites for SignalR servers expect, as a module for the
# router, and the official clients of several versions, each with npm packages of its own.
testhub := $(B)/testhub.so
$(testhub): tests/conformance/testhub.c $(headers) $(B)/flags
	$(say) CC $< && $(CC) -shared $(patsubst -fPIE,-fPIC,$(filter-out -MMD -MP,$(c_flags))) $< -o $@

npm_compat := $(patsubst %/package.json,%/node_modules/.installed,$(wildcard tests/compat/clients/*/package.json))
$(npm_compat): %/node_modules/.installed: %/package.json %/package-lock.json | deps-run
	$(say) NPM $*
	@cd $* && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error && touch node_modules/.installed

.PHONY: conformance test-compat compatibility
export TLS_PORT
conformance: $(bins) $(testhub) $(npm_tests) | deps-run ## the app behind PORT and TLS_PORT, for outside suites
	@HELIOGRAPH_BUILD=$(CURDIR)/$(B) exec node tests/conformance/app.js
test-compat: $(node_needs) $(npm_compat) | deps-test ## official clients of eight years
	$(run_tests) compat
compatibility: ## docs/COMPATIBILITY.md from the last test-compat
	@HELIOGRAPH_BUILD=$(CURDIR)/$(B) node tests/compat/table.js docs/COMPATIBILITY.md
