/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of heliograph-bench.
 */
#ifndef BENCH_CONF_H
#define BENCH_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/conf.h"

struct bench_conf {
	/* whom */
	char *url; /* "http://127.0.0.1:8080/hubs/bench"; nats://, tcp:// for peers */
	char *scenario;
	int64_t transport; /* index into bench_transports */
	int64_t protocol;  /* index into bench_protocols */
	bool negotiate;	   /* off: skipNegotiation */
	char *token_key;   /* HS256 key that tokens are minted with; empty: dev or none */
	bool dev_tokens;   /* ask POST /dev/token of the server */
	int64_t users;	   /* client i is user i mod users; 0: as many as connections */
	/* how many */
	int64_t connections;
	int64_t workers;	  /* 0: as few as descriptors allow; > 0 in workers */
	int64_t sources;	  /* 127.0.0.1 .. 127.0.0.n; 0: as many as ports demand;
				     > 0 in workers. 1: nothing is bound */
	int64_t connect_rate;	  /* new connections a second, all workers; 0: no limit */
	int64_t connect_parallel; /* at most so many on the way, per worker */
	int64_t groups;
	int64_t group_size; /* members of a group */
	/* what */
	int64_t size;	   /* bytes of a payload */
	int64_t rate;	   /* what the scenario counts, a second, all workers; 0: closed
			      loop, as fast as in_flight allows */
	int64_t in_flight; /* messages of a worker that wait for all their deliveries or
			      their answer; 0: no limit */
	int64_t arrivals;  /* steady, poisson */
	int64_t seed;
	int64_t keep_alive_ms; /* a ping when nothing was sent for so long; 0: never */
	/* how long */
	int64_t connect_timeout_ms;
	int64_t warm_up_ms;
	int64_t duration_ms;
	int64_t drain_ms; /* at most, for what is on the way */
	int64_t hold_ms;  /* idle: connections are kept open so long */
	/* step search */
	char *search;	     /* "p99<10ms", "within(1s)>99%"; empty: one run at `rate` */
	int64_t search_from; /* first rate */
	int64_t search_to;
	int64_t search_precision; /* percent between what held and what did not */
	/* what comes out */
	char *server_pids; /* "12,13" or "gateway:12,13;router:15"; empty: whoever listens
			      at the URL, if local */
	char *json;	   /* files; empty: none; "-": stdout */
	char *html;
	char *history;
	char *markdown;
	char *report;  /* result files to make reports of; nothing is run */
	char *compare; /* a result file to compare this run's with; two: nothing is run */
	char *expect;  /* "p99<10ms,lost=0,rate>1000" */
	char *label;   /* goes into the result */
	bool progress; /* the live line */
};

/* As carrier_named() and dialect_named() know them; each ends with NULL. */
extern const char *const bench_transports[];
extern const char *const bench_protocols[];
extern const struct conf_table bench_conf_table;

#endif
