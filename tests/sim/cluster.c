/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cluster's configuration is an operator's, with shorter times.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include "tests/sim/cluster.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/crypto.h"
#include "tests/sim/inspect.h"
#include "tests/sim/presences.h"
#include "tests/sim/steps.h"

#define OPTION_BYTES 512
#define OPTIONS_MAX 32
#define SECRET "0123456789abcdef0123456789abcdef"

/* Of the programs' own headers, which would not go together. */
extern const struct proc_ops gateway_proc_ops;
extern const struct proc_ops router_proc_ops;
extern const struct proc_ops presence_proc_ops;

struct cluster cluster;

/* ---- options */

struct options {
	char texts[OPTIONS_MAX][OPTION_BYTES];
	const char *items[OPTIONS_MAX];
	size_t n;
};

static void add(struct options *options, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void add(struct options *options, const char *fmt, ...)
{
	char *text = options->texts[options->n];
	va_list args;
	int n;

	assert(options->n < OPTIONS_MAX);
	va_start(args, fmt);
	n = vsnprintf(text, OPTION_BYTES, fmt, args);
	va_end(args);
	assert(n > 0 && n < OPTION_BYTES);
	options->items[options->n++] = text;
}

static void add_routers(struct options *options)
{
	char list[OPTION_BYTES] = "";
	size_t len = 0;

	for (unsigned i = 0; i < cluster.nodes_n; i++) {
		const char *name = sim_node_name(cluster.nodes[i]);

		if (cluster.roles[i] == ROLE_ROUTER && cluster.is_wanted[i])
			len += (size_t)snprintf(list + len, sizeof(list) - len,
						"%s%s=tcp://%s:7000", len > 0 ? "," : "",
						name, name);
	}
	add(options, "--routers=%s", list);
}

static void add_role(struct options *options, enum cluster_role role, const char *name)
{
	const char *key = "/proc/self/fd";

	add_routers(options);
	if (role == ROLE_PRESENCE) {
		add(options, "--link_listen=tcp://p1:7100");
		add(options, "--admin_listen=");
		return;
	}
	add(options, "--presence=p1=tcp://p1:7100");
	add(options, "--hubs=" CLUSTER_HUB);
	add(options, "--detailed_errors=on");
	if (role == ROLE_ROUTER && !steps_spare_presence()) {
		/* Longer than anybody is away for: a router that starts over more than
		 * once cannot know whom it has never met (docs/RELIABILITY.md). */
		add(options, "--rebuild_wait=25s");
		add(options, "--rebuild_timeout=25s");
	}
	if (role == ROLE_ROUTER) {
		add(options, "--link_listen=tcp://%s:7000", name);
		return;
	}
	add(options, "--listen=127.0.0.1:%u", CLUSTER_HTTP_PORT);
	add(options, "--token_key_file=%s/%d", key, cluster.key);
	add(options, "--auth_key_file=%s/%d", key, cluster.key);
	add(options, "--stateful_reconnect=on");
	add(options, "--keepalive_interval=2s");
	add(options, "--client_timeout=6s");
	add(options, "--disconnect_timeout=10s");
	add(options, "--memory_max=1GiB");
	add(options, "--reattach_per_minute_max=100000");
}

static void configure(unsigned i)
{
	struct options *options = calloc(1, sizeof(*options));

	assert(options != NULL);
	add(options, "--name=%s", sim_node_name(cluster.nodes[i]));
	add(options, "--link_key_file=/proc/self/fd/%d", cluster.key);
	/* Long enough for all hand-overs, where they must go well. */
	add(options, "--drain_timeout=%ds", steps_is_rolling() ? 25 : 5);
	add_role(options, cluster.roles[i], sim_node_name(cluster.nodes[i]));
	sim_node_configure(cluster.nodes[i], options->items, options->n);
	free(options);
}

/* A file that no other user may read, in memory. */
static void make_key(void)
{
	const ssize_t len = sizeof(SECRET) - 1;

	cluster.key = memfd_create("key", 0);
	if (cluster.key < 0 || fchmod(cluster.key, S_IRUSR | S_IWUSR) != 0 ||
	    write(cluster.key, SECRET, (size_t)len) != len)
		sim_fail("no file for the key");
}

/* ---- what there is */

static void add_node(const char *letter, unsigned i, enum cluster_role role,
		     const struct proc_ops *ops)
{
	char *name = malloc(OPTION_BYTES);

	assert(name != NULL && cluster.nodes_n < CLUSTER_NODES_MAX);
	(void)snprintf(name, OPTION_BYTES, "%s%u", letter, i + 1);
	cluster.roles[cluster.nodes_n] = role;
	cluster.is_wanted[cluster.nodes_n] = true;
	cluster.nodes[cluster.nodes_n++] = sim_node_new(name, ops);
}

static void on_log(const char *id, const char *pairs)
{
	static const char name[] = " handed_over=";
	const char *at = strcmp(id, "drain.over") == 0 ? strstr(pairs, name) : NULL;

	if (at != NULL)
		cluster.handed_over += (unsigned)strtoul(at + sizeof(name) - 1, NULL, 10);
}

void cluster_make(unsigned gateways, unsigned routers, unsigned spare, unsigned clients)
{
	assert(gateways <= CLUSTER_GATEWAYS_MAX);
	assert(routers + spare <= CLUSTER_ROUTERS_MAX);
	assert(clients <= CLUSTER_CLIENTS_MAX);
	make_key();
	sim_node_on_log(on_log);
	for (unsigned i = 0; i < gateways; i++)
		add_node("g", i, ROLE_GATEWAY, &gateway_proc_ops);
	for (unsigned i = 0; i < routers + spare; i++) {
		add_node("r", i, ROLE_ROUTER, &router_proc_ops);
		cluster.is_wanted[cluster.nodes_n - 1] = i < routers;
	}
	add_node("p", 0, ROLE_PRESENCE, &presence_proc_ops);
	cluster.gateways_n = gateways;
	cluster.routers_n = routers;
	for (unsigned i = 0; i < cluster.nodes_n; i++)
		configure(i);
	cluster.clients_n = clients;
	for (unsigned i = 0; i < clients; i++)
		client_init(&cluster.clients[i], i, i % HISTORY_USERS,
			    sim_often(SIM_PLAN, 600));
}

bool cluster_is_used(unsigned i)
{
	return cluster.is_wanted[i] || sim_node_lives(cluster.nodes[i]) > 0;
}

void cluster_reshard(void)
{
	const unsigned presence = cluster.nodes_n - 1;

	for (unsigned i = 0; i < cluster.nodes_n; i++) {
		configure(i);
		if (cluster.is_wanted[i] && sim_node_lives(cluster.nodes[i]) == 0)
			cluster_start_node(i);
	}
	if (sim_node_state(cluster.nodes[presence]) == NODE_UP)
		sim_node_reload(cluster.nodes[presence]);
}

void cluster_start_node(unsigned i)
{
	sim_node_start(cluster.nodes[i]);
	if (cluster.roles[i] == ROLE_PRESENCE)
		inspect_presence_watch(sim_node_owner(cluster.nodes[i]));
}

unsigned cluster_any_gateway(void)
{
	return sim_node_host(cluster.nodes[sim_below(SIM_CLIENTS, cluster.gateways_n)]);
}

void cluster_jwt(struct buf *jwt, unsigned user)
{
	uint8_t mac[CRYPTO_SHA256_BYTES];
	struct buf claims = BUF_INIT;

	crypto_base64url_encode(jwt, SLICE("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"));
	buf_append_byte(jwt, '.');
	buf_appendf(&claims, "{\"sub\":\"user-%u\",\"exp\":4000000000}", user);
	crypto_base64url_encode(jwt, buf_slice(&claims));
	crypto_hmac_sha256(SLICE(SECRET), buf_slice(jwt), mac);
	buf_append_byte(jwt, '.');
	crypto_base64url_encode(jwt, slice_make((const char *)mac, sizeof(mac)));
	buf_fini(&claims);
}

/* ---- how it is */

static bool is_ready(unsigned i)
{
	void *state = sim_node_owner(cluster.nodes[i]);

	if (sim_node_state(cluster.nodes[i]) != NODE_UP)
		return false;
	if (cluster.roles[i] == ROLE_GATEWAY)
		return inspect_gateway_ready(state);
	return cluster.roles[i] != ROLE_ROUTER || inspect_router_ready(state);
}

bool cluster_is_ready(void)
{
	for (unsigned i = 0; i < cluster.nodes_n; i++) {
		if (cluster.is_wanted[i] && !is_ready(i))
			return false;
	}
	return true;
}

bool cluster_is_calm(void)
{
	for (unsigned i = 0; i < cluster.clients_n; i++) {
		const struct client *client = &cluster.clients[i];

		if (!client_is_open(client) || !client_is_idle(client))
			return false;
	}
	return true;
}

static const char *over(unsigned i)
{
	void *state = sim_node_owner(cluster.nodes[i]);

	if (state == NULL || cluster.roles[i] == ROLE_PRESENCE)
		return NULL;
	return cluster.roles[i] == ROLE_GATEWAY ? inspect_gateway_over(state)
						: inspect_router_over(state);
}

void cluster_check_limits(void)
{
	for (unsigned i = 0; i < cluster.nodes_n; i++) {
		const char *what = over(i);

		sim_expect(what == NULL, "%s: %s is over its limit",
			   sim_node_name(cluster.nodes[i]), what);
	}
}

static const char *left(unsigned i)
{
	void *state = sim_node_owner(cluster.nodes[i]);
	const char *what = NULL;

	if (state == NULL)
		return NULL;
	sim_node_enter(cluster.nodes[i]);
	if (cluster.roles[i] == ROLE_GATEWAY)
		what = inspect_gateway_left(state);
	else if (cluster.roles[i] == ROLE_ROUTER)
		what = inspect_router_left(state);
	else
		what = inspect_presence_left(state);
	sim_node_leave(cluster.nodes[i]);
	return what;
}

const char *cluster_left(void)
{
	static char text[OPTION_BYTES];

	for (unsigned i = 0; i < cluster.nodes_n; i++) {
		const char *what = left(i);

		if (what == NULL)
			continue;
		(void)snprintf(text, sizeof(text), "%s at %s", what,
			       sim_node_name(cluster.nodes[i]));
		return text;
	}
	return NULL;
}

bool cluster_presence_is_exact(void)
{
	struct sim_node *node = cluster.nodes[cluster.nodes_n - 1];
	bool is_exact = true;

	sim_node_enter(node);
	for (unsigned user = 0; user < HISTORY_USERS; user++) {
		char name[16];
		size_t wanted = 0;

		for (unsigned i = 0; i < cluster.clients_n; i++) {
			wanted += cluster.clients[i].has_session &&
				  cluster.clients[i].user == user;
		}
		(void)snprintf(name, sizeof(name), "user-%u", user);
		if (inspect_presence_connections(sim_node_owner(node), name) != wanted)
			is_exact = false;
	}
	sim_node_leave(node);
	return is_exact;
}
