/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process of the cluster may be called: 1 to LINK_NAME_MAX printable ASCII bytes
 * but space, comma, equals sign, quotes and backslash. So names stand unquoted in lists
 * of shards and in log lines, though a peer chose them.
 */
#ifndef PROTO_LINK_LINK_NAME_H
#define PROTO_LINK_LINK_NAME_H

#include <stdbool.h>

#include "proto/base/slice.h"

#define LINK_NAME_MAX 64

bool link_name_is_valid(struct slice name);

#endif
