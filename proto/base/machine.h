/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PROTO_BASE_MACHINE_H
#define PROTO_BASE_MACHINE_H

#include <stdint.h>

/* The memory that this process and those beside it may use: the machine's, or less if a
 * control group says so. `root` is "" but in tests. Reads a few small files. */
int64_t machine_memory_bytes(const char *root);

#endif
