/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a link counts, and the rows that put it into a program's metrics table. The
 * program has `struct link_stats link` in its metrics struct and LINK_METRICS(struct
 * gateway_metrics, link, "gateway_") in its table.
 */
#ifndef PROTO_LINK_LINK_STATS_H
#define PROTO_LINK_LINK_STATS_H

#include <stdint.h>

struct link_stats {
	uint64_t envelopes_in_total;
	uint64_t envelopes_out_total;
	uint64_t batches_in_total;
	uint64_t batches_out_total;
	uint64_t bytes_out_total;
	uint64_t resent_total;	    /* envelopes sent again on a new stream */
	uint64_t duplicate_total;   /* envelopes dropped because they came twice */
	uint64_t ups_total;	    /* streams that got through the greeting */
	uint64_t downs_total;	    /* streams lost after it */
	uint64_t refused_total;	    /* greetings refused: key, version, name */
	uint64_t malformed_total;   /* streams closed because of what came on them */
	uint64_t window_full_total; /* messages refused because too much waits */
	uint64_t crowded_total;	    /* times that half of a window waited */
	uint64_t given_up_total;    /* peers that were away for too long */
	int64_t peers;		    /* those in our lists, and those not given up yet */
	int64_t peers_up;
	int64_t key_fingerprint;
};

#define LINK_METRICS(type, field, prefix)                                                \
	{ prefix "link_envelopes_in_total", METRIC_COUNTER,                              \
	  offsetof(type, field.envelopes_in_total), NULL, "Messages from peers." },      \
		{ prefix "link_envelopes_out_total", METRIC_COUNTER,                     \
		  offsetof(type, field.envelopes_out_total), NULL,                       \
		  "Messages to peers." },                                                \
		{ prefix "link_batches_in_total", METRIC_COUNTER,                        \
		  offsetof(type, field.batches_in_total), NULL, "Batches from peers." }, \
		{ prefix "link_batches_out_total", METRIC_COUNTER,                       \
		  offsetof(type, field.batches_out_total), NULL, "Batches to peers." },  \
		{ prefix "link_out_bytes_total", METRIC_COUNTER,                         \
		  offsetof(type, field.bytes_out_total), NULL,                           \
		  "Bytes of batches to peers." },                                        \
		{ prefix "link_resent_total", METRIC_COUNTER,                            \
		  offsetof(type, field.resent_total), NULL,                              \
		  "Messages sent again on a new stream." },                              \
		{ prefix "link_duplicate_total", METRIC_COUNTER,                         \
		  offsetof(type, field.duplicate_total), NULL,                           \
		  "Messages dropped as seen before." },                                  \
		{ prefix "link_ups_total", METRIC_COUNTER,                               \
		  offsetof(type, field.ups_total), NULL,                                 \
		  "Streams that got through the greeting." },                            \
		{ prefix "link_downs_total", METRIC_COUNTER,                             \
		  offsetof(type, field.downs_total), NULL,                               \
		  "Streams lost after the greeting." },                                  \
		{ prefix "link_refused_total", METRIC_COUNTER,                           \
		  offsetof(type, field.refused_total), NULL,                             \
		  "Greetings refused: wrong key, version or name." },                    \
		{ prefix "link_malformed_total", METRIC_COUNTER,                         \
		  offsetof(type, field.malformed_total), NULL,                           \
		  "Streams closed because of what came on them." },                      \
		{ prefix "link_window_full_total", METRIC_COUNTER,                       \
		  offsetof(type, field.window_full_total), NULL,                         \
		  "Messages refused because too much waits for the peer." },             \
		{ prefix "link_crowded_total", METRIC_COUNTER,                           \
		  offsetof(type, field.crowded_total), NULL,                             \
		  "Times that half of a peer's window had come to wait." },              \
		{ prefix "link_given_up_total", METRIC_COUNTER,                          \
		  offsetof(type, field.given_up_total), NULL,                            \
		  "Peers that were away for too long: what waited failed." },            \
		{ prefix "link_peers", METRIC_GAUGE, offsetof(type, field.peers), NULL,  \
		  "Peers configured, or connected not longer than a lease ago." },       \
		{ prefix "link_peers_up", METRIC_GAUGE, offsetof(type, field.peers_up),  \
		  NULL, "Peers connected now." },                                        \
	{                                                                                \
		prefix "link_key_fingerprint", METRIC_GAUGE,                             \
			offsetof(type, field.key_fingerprint), NULL,                     \
			"Tells link_key_file apart from what it was before."             \
	}

#endif
