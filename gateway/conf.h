/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's options, one table in conf.c, and the struct they land in. What workers.c
 * decides before a worker starts stands at the end: it is no option.
 */
#ifndef GATEWAY_CONF_H
#define GATEWAY_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/proc.h"
#include "proto/base/secret.h"
#include "proto/base/slice.h"
#include "proto/link/link_conf.h"

#define GATEWAY_MESSAGE_BYTES_MAX (1 << 20)

struct gateway_conf {
	struct proc_conf proc;
	struct link_conf link;
	char *listen;	    /* clients */
	char *admin_listen; /* empty: none */
	int64_t workers;
	char *routers;	/* "r1=tcp://10.0.0.1:7000,r2=..." */
	char *presence; /* "p1=tcp://10.0.0.3:7100", empty: none */
	char *token_key_file;
	char *auth_key_file;
	char *hubs; /* "relay,chat" */
	bool is_dev;
	bool is_detailed; /* detailed_errors */
	char *demo_dir;
	int64_t connections_max;
	int64_t message_bytes_max;
	int64_t queue_bytes_max;
	int64_t invocations_max;
	int64_t groups_per_connection_max;
	int64_t group_name_bytes_max;
	int64_t invocation_id_bytes_max;
	int64_t keepalive_interval_ms;
	int64_t client_timeout_ms;
	int64_t handshake_timeout_ms;
	int64_t disconnect_timeout_ms;
	int64_t close_timeout_ms;
	int64_t send_timeout_ms;
	int64_t head_timeout_ms;
	int64_t body_timeout_ms;
	int64_t idle_timeout_ms;

	/* Not options: workers.c sets them before the worker starts. */
	int worker;	      /* index; 0 also without forked workers */
	uint16_t shared_port; /* all workers listen on it; 0: one process, `listen` alone
			       */
	char spare_keys[2][SECRET_BYTES_MIN]; /* token, auth: for files not
						      configured */
};

extern const struct conf_table gateway_conf_table;

/* What the table's ranges cannot say, "" when all is well: a sentence naming the option.
 */
const char *gateway_conf_problem(const struct gateway_conf *conf);

/*
 * "host:port" split at the last colon, "[::1]:80" included. ERR_ARGUMENT: no port. `host`
 * borrows from `address` and keeps its brackets.
 */
MUST_CHECK enum err gateway_conf_address(const char *address, struct slice *host,
					 uint16_t *port);

/* Appends "host:port" and a NUL. */
void gateway_conf_address_print(struct buf *out, struct slice host, int64_t port);

/* 127.0.0.0/8, [::1] or localhost. */
bool gateway_conf_is_loopback(const char *address);

#endif
