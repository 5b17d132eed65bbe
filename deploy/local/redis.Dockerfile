# SPDX-License-Identifier: Apache-2.0
#
# Debian's Redis, for the manifests' Redis and Sentinel pods when they run on this machine: like
# the image that they name, it has redis-server, redis-cli and a shell.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends redis-server && rm -rf /var/lib/apt/lists
USER 10001:10001
