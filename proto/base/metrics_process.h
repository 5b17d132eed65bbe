/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What any of our processes can say about itself: memory, descriptors, processor time,
 * how long it has run, and whether its loop turned. Those that Prometheus' own clients
 * have are called as there.
 */
#ifndef PROTO_BASE_METRICS_PROCESS_H
#define PROTO_BASE_METRICS_PROCESS_H

#include "proto/base/buf.h"

/* Appends the rows. What the machine does not tell is left out. */
void metrics_process_render(struct buf *out);

#endif
