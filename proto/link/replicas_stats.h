/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What replicas.c counts, and the rows of it in a program's metrics table: as
 * link_stats.h.
 */
#ifndef PROTO_LINK_REPLICAS_STATS_H
#define PROTO_LINK_REPLICAS_STATS_H

#include <stdint.h>

struct replicas_stats {
	int64_t presence_up; /* replicas that are */
	uint64_t home_total; /* times that another replica became the home */
	uint64_t home_resync_total;
	uint64_t lease_refused_total;
	uint64_t report_total;
	uint64_t report_refused_total;
};

#define REPLICAS_METRICS(type, field, prefix)                                            \
	{ prefix "presence_up", METRIC_GAUGE, offsetof(type, field.presence_up), NULL,   \
	  "Replicas of presence connected now." },                                       \
		{ prefix "home_total", METRIC_COUNTER, offsetof(type, field.home_total), \
		  NULL, "Times that another replica of presence became the home." },     \
		{ prefix "home_resync_total", METRIC_COUNTER,                            \
		  offsetof(type, field.home_resync_total), NULL,                         \
		  "Times that the home's link was full and started over." },             \
		{ prefix "lease_refused_total", METRIC_COUNTER,                          \
		  offsetof(type, field.lease_refused_total), NULL,                       \
		  "Leases the link's window refused." },                                 \
		{ prefix "report_total", METRIC_COUNTER,                                 \
		  offsetof(type, field.report_total), NULL, "Reports to presence." },    \
	{                                                                                \
		prefix "report_refused_total", METRIC_COUNTER,                           \
			offsetof(type, field.report_refused_total), NULL,                \
			"Reports not sent to a presence that is behind."                 \
	}

#endif
