#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# kubectl as scripts call it, for fake_kubectl.js: it is asked with the words, and what it
# answers is said. Whoever ends this process, as one ends a port-forward, ends the request.
exec curl --silent --show-error --fail --no-buffer --unix-socket "$FAKE_KUBECTL" \
	--data-binary @<(printf '%s\0' "$@") http://fake/
