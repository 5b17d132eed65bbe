# SPDX-License-Identifier: Apache-2.0
#
# Tests of what is in deploy/. A kubectl that is on PATH is used; else npm has one.
npm_deploy := tests/deploy/node_modules/.installed
$(npm_deploy): %/node_modules/.installed: %/package.json %/package-lock.json | deps-run
	$(say) NPM $*
	@cd $* && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error && touch node_modules/.installed
kubectl := $(if $(shell command -v kubectl),,build/tools/kubectl)
build/tools/kubectl: tests/deploy/kubectl.sh tests/deploy/kubectl/package-lock.json | deps-test
	$(say) GET kubectl
	@$< $@

deploy_needs := $(npm_deploy) $(kubectl) $(staged)
