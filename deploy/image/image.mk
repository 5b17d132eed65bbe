# SPDX-License-Identifier: Apache-2.0
#
# The container image, and what is run of it on this machine.
.PHONY: image image-check cluster test-containers deps-image deps-cluster
deps-image deps-cluster: deps-%: ; @deploy/deps.sh $*
image: | deps-image ## the container image, with podman, in a store of its own: build/image/
	@deploy/image/build.sh
image-check: | deps-image ## two builds of the last commit, which are to be the same
	@deploy/image/check.sh
export OVERLAY
cluster: image $(demo) $(kubectl) | deps-cluster ## the manifests as pods on this machine: PORT ADMIN_PORT OVERLAY
	@exec node deploy/local/pods/cluster.js
test-containers: $(npm_tests) $(deploy_needs) $(demo) | deps-image deps-cluster deps-browser ## the image, and the manifests as pods
	@if why=$$(deploy/image/podman.sh --missing); then deploy/image/build.sh && tests/run.sh containers; \
	else echo "SKIPPED: test-containers: $$why"; fi
