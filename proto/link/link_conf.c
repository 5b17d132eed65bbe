/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every program of the cluster checks before it starts: see link_conf.h.
 */
#include "proto/link/link_conf.h"

#include <stdbool.h>
#include <string.h>

#include "proto/link/link_name.h"

_Static_assert(LINK_NAME_MAX == 64, "the sentence says so");

_Static_assert(LINK_CONF_MOVE_MS == 2000, "so does this one");

const char *link_conf_problem(const char *name, const struct link_conf *link,
			      const char *presence)
{
	const bool is_replicated = strchr(presence, ',') != NULL;

	if (!link_name_is_valid(slice_from_str(name)))
		return "name: 1 to 64 printable characters but space , = \" ' and \\";
	/* A heartbeat may be late by its own interval, and is not yet a silence. */
	if (link->ping_interval_ms * 2 > link->stream_timeout_ms)
		return "link_ping_interval: must be at most half of link_stream_timeout";
	/* Whose home stands still is to have moved before the lease there ends. */
	if (is_replicated &&
	    link->lease_ms <= link->stream_timeout_ms + LINK_CONF_MOVE_MS)
		return "lease: with several replicas of presence, must be longer than "
		       "link_stream_timeout and 2s together";
	return "";
}
