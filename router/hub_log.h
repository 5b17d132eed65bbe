/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of the hub API (router/hub.h): what operators are told of a hub, and what they set
 * for it.
 */
#ifndef ROUTER_HUB_LOG_H
#define ROUTER_HUB_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "proto/base/log_level.h"
#include "proto/base/slice.h"
#include "router/hub_rc.h"

/*
 * A line in the router's log: id "hub.<hub>.<event>", the hub's method and the
 * connection, then `fmt`, which yields key=value pairs, possibly none (""). What a client
 * chose goes through hub_quote(); tokens and payloads do not belong there.
 */
void hub_log(struct hub_call *call, enum log_level level, const char *event,
	     const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Quoted, escaped and shortened; lives where the call's values do. */
const char *hub_quote(struct hub_call *call, struct slice text);

/* Adds to the counter at that place of the module's table, which is shown as
 * router_hub_counted_total{hub="chat",name="messages"}. */
void hub_count(struct hub_call *call, size_t counter, uint64_t n);

/*
 * ---- options: each hub has its own, which the router's configuration sets as
 * "hub.<hub>.<name> = 50" and reads as its other options: from the file, the environment
 * and the command line, again with a reload. The router does not start with a wrong one.
 */

enum hub_option_type {
	HUB_OPTION_INT,	  /* "50" */
	HUB_OPTION_MS,	  /* "15s", "250ms" */
	HUB_OPTION_BYTES, /* "64KiB" */
	HUB_OPTION_BOOL,  /* "on", "off"; read as 1, 0 */
	HUB_OPTION_TEXT,
};

struct hub_option {
	const char *name; /* lower case */
	enum hub_option_type type;
	const char *initial; /* the default, as it would be set */
	int64_t min;	     /* of a text: of its length; of a bool: 0 */
	int64_t max;
	const char *help; /* one sentence */
};

/* By its place in the module's table. */
int64_t hub_option_int(struct hub_call *call, size_t option);
struct slice hub_option_text(struct hub_call *call, size_t option);

#endif
