/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gateway's options, one table in conf.c, and the struct they land in. What workers.c
 * decides before a worker starts stands at the end: it is no option.
 */
#ifndef GATEWAY_CONF_H
#define GATEWAY_CONF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/auth_conf.h"
#include "proto/base/buf.h"
#include "proto/base/conf_scope.h"
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
	char *presence; /* "p1=tcp://10.0.0.3:7100,p2=...", empty: none */
	char *token_key_file;
	struct auth_conf jwt;
	char *tls_cert; /* empty: clients speak plain HTTP */
	char *tls_key;
	char *hubs;		      /* "chat,notifications,collaboration,livedata" */
	struct conf_scoped hub_confs; /* struct hub_conf of each of them */
	char *cors_origins;
	char *trusted_proxies;
	bool is_dev;
	bool is_detailed; /* detailed_errors */
	char *demo_dir;
	int64_t connections_max;
	int64_t memory_max; /* 0: derived */
	int64_t message_bytes_max;
	int64_t post_bytes_max;
	int64_t queue_bytes_max;
	int64_t sweep_slice;
	int64_t sweep_messages_max;
	int64_t sweep_bytes_max;
	int64_t invoke_timeout_ms;
	int64_t invocations_max;
	int64_t groups_per_connection_max;
	int64_t group_name_bytes_max;
	int64_t invocation_id_bytes_max;
	int64_t streams_max;
	int64_t stream_pause_bytes;
	int64_t reattach_per_minute_max;
	int64_t evict_rate; /* connections a second */
	int64_t drain_delay_ms;
	int64_t handover_timeout_ms;
	int64_t messages_per_second_max; /* of one connection */
	int64_t bytes_per_second_max;
	int64_t user_connections_max;
	int64_t user_negotiates_per_minute_max;
	int64_t address_connections_max;
	int64_t address_negotiates_per_minute_max;
	int64_t address_auth_failed_per_minute_max;
	int64_t address_ids_unknown_per_minute_max;
	int64_t keepalive_interval_ms;
	int64_t client_timeout_ms;
	int64_t message_timeout_ms;
	int64_t handshake_timeout_ms;
	int64_t disconnect_timeout_ms;
	int64_t close_timeout_ms;
	int64_t send_timeout_ms;
	int64_t head_timeout_ms;
	int64_t body_timeout_ms;
	int64_t answer_timeout_ms;
	int64_t idle_timeout_ms;
	int64_t poll_timeout_ms;
	int64_t forwards_max;
	int64_t forward_timeout_ms;
	int64_t reshard_timeout_ms;
	int64_t auth; /* enum hub_auth */
	bool is_stateful;
	int64_t stateful_buffer_bytes_max;
	int64_t stream_capacity;
	bool is_closing_expired; /* close_on_auth_expiration */

	/* Not options: workers.c sets them before the worker starts. */
	int worker;	      /* index; 0 also without forked workers */
	pid_t supervisor;     /* of forked workers; 0: none */
	uint16_t shared_port; /* all workers listen on it; 0: one process alone */
	char spare_keys[2][SECRET_BYTES_MIN]; /* token, auth: for files not
						      configured */
};

extern const struct conf_table gateway_conf_table;

/* What the table's ranges cannot say, "" when all is well: a sentence with the option. */
const char *gateway_conf_problem(const struct gateway_conf *conf);

/*
 * "host:port" split at the last colon, "[::1]:80" included. ERR_ARGUMENT: no port. `host`
 * borrows from `address` and keeps its brackets.
 */
MUST_CHECK enum err gateway_conf_address(const char *address, struct slice *host,
					 uint16_t *port);

/* Appends "host:port" and a NUL. */
void gateway_conf_address_print(struct buf *out, struct slice host, int64_t port);

/* What dev mode signs tokens with when no HS256 secret is configured; empty without it.
 */
struct slice gateway_conf_dev_secret(const struct gateway_conf *conf);

/* 127.0.0.0/8, [::1] or localhost. */
bool gateway_conf_is_loopback(const char *address);

#endif
