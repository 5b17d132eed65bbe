/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program counts of reading its configuration and its secrets again, and the rows
 * that put it into its metrics table. It has `struct reload_stats reload` in its metrics
 * struct and RELOAD_METRICS(struct gateway_metrics, reload, "gateway_") in its table.
 */
#ifndef PROTO_BASE_RELOAD_STATS_H
#define PROTO_BASE_RELOAD_STATS_H

#include <stdint.h>

struct reload_stats {
	uint64_t done_total;
	uint64_t failed_total;	      /* a mistake in the configuration */
	uint64_t noticed_total;	      /* of those, begun by a change of a file */
	uint64_t secret_failed_total; /* not of JWTs, nor a gateway's TLS */
	int64_t is_stale;	      /* 1: what was read last would not do */
};

#define RELOAD_METRICS(type, field, prefix)                                              \
	{ prefix "conf_reloads_total", METRIC_COUNTER, offsetof(type, field.done_total), \
	  NULL, "Times that the configuration was read again." },                        \
		{ prefix "conf_reload_failed_total", METRIC_COUNTER,                     \
		  offsetof(type, field.failed_total), NULL,                              \
		  "Times that it had a mistake, and nothing changed." },                 \
		{ prefix "conf_file_changes_total", METRIC_COUNTER,                      \
		  offsetof(type, field.noticed_total), NULL,                             \
		  "Times that it was read because a file had changed." },                \
		{ prefix "conf_stale", METRIC_GAUGE, offsetof(type, field.is_stale),     \
		  NULL,                                                                  \
		  "1: it, or a file that it names, would not do when last read; what "   \
		  "there was before is in use." },                                       \
	{                                                                                \
		prefix "secret_reload_failed_total", METRIC_COUNTER,                     \
			offsetof(type, field.secret_failed_total), NULL,                 \
			"Files of keys or passwords that would not do when read again."  \
	}

#endif
