/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every program of the cluster checks before it starts: see link_conf.h.
 */
#include "proto/link/link_conf.h"

#include "proto/link/link_name.h"

_Static_assert(LINK_NAME_MAX == 64, "the sentence says so");

const char *link_conf_problem(const char *name, int64_t ping_interval_ms,
			      int64_t stream_timeout_ms)
{
	if (!link_name_is_valid(slice_from_str(name)))
		return "name: 1 to 64 printable characters but space , = \" ' and \\";
	/* A heartbeat may be late by its own interval, and is not yet a silence. */
	if (ping_interval_ms * 2 > stream_timeout_ms)
		return "link_ping_interval: must be at most half of link_stream_timeout";
	return "";
}
