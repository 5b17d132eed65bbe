/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proto/base/proc.h for many processes in one, and their lives (node.h). What they log
 * goes into the trace.
 */
#include "proto/base/proc.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "tests/sim/loop.h"
#include "tests/sim/net.h"
#include "tests/sim/node.h"
#include "tests/sim/sim.h"

#define NODES_MAX 32u
#define OPTIONS_MAX 64u
#define UNIX_MS_AT_START INT64_C(1790000000000)

const char *const proc_log_levels[] = { "debug", "info", "warn", "error", NULL };
const char *const proc_log_formats[] = { "logfmt", "json", NULL };

struct proc {
	const struct proc_ops *ops;
	struct sim_node *node;
	struct proc_conf *conf; /* owned */
	char *name;		/* owned */
	struct loop *loop;	/* owned */
	void *state;
	uint64_t incarnation;
	bool is_draining;
	struct timer drain_timer;
};

struct sim_node {
	const char *name;
	const struct proc_ops *ops;
	unsigned host;
	enum sim_node_state state;
	struct proc *proc; /* NULL: down */
	char *options[OPTIONS_MAX];
	int options_n; /* the program's name included */
	int64_t clock_offset_ms;
	int64_t memory;
	unsigned lives;
	int64_t ended_at; /* 0: never */
};

static struct {
	struct sim_node nodes[NODES_MAX];
	unsigned n;
	unsigned hosts_n;
	struct sim_node *current;
	sim_node_log_fn *on_log; /* NULL: nobody listens */
} world;

/* ---- what processes have of the system */

struct sim_node *sim_node_current(void)
{
	return world.current;
}

void sim_node_enter(struct sim_node *node)
{
	assert(world.current == NULL);
	world.current = node;
}

void sim_node_count_memory(int64_t bytes)
{
	if (world.current != NULL)
		world.current->memory += bytes;
}

static bool on_log(struct log_tap *tap, enum log_level level, const char *id,
		   const char *pairs)
{
	(void)tap;
	sim_trace("%s %s %s %s", world.current != NULL ? world.current->name : "-",
		  proc_log_levels[level], id, pairs);
	if (world.on_log != NULL)
		world.on_log(id, pairs);
	return true;
}

void sim_node_on_log(sim_node_log_fn *fn)
{
	world.on_log = fn;
}

static struct log_tap tap = { .take = on_log };

bool sim_host_find(const char *name, unsigned *host)
{
	for (unsigned i = 0; i < world.n; i++) {
		if (strcmp(world.nodes[i].name, name) != 0)
			continue;
		*host = world.nodes[i].host;
		return true;
	}
	return false;
}

unsigned sim_host_new(void)
{
	assert(world.hosts_n < NET_HOSTS_MAX);
	return world.hosts_n++;
}

void sim_host_wake(unsigned host)
{
	for (unsigned i = 0; i < world.n; i++) {
		const struct sim_node *node = &world.nodes[i];

		if (node->host == host && node->proc != NULL)
			sim_loop_wake(node->proc->loop);
	}
}

/* ---- proc.h */

static void on_drain_timeout(struct timer *timer)
{
	struct proc *proc = CONTAINER_OF(timer, struct proc, drain_timer);

	log_warn("proc.drain_timeout", "after_ms=%" PRId64, proc->conf->drain_ms);
	loop_stop(proc->loop);
}

void proc_drain(struct proc *proc)
{
	if (proc->is_draining)
		return;
	proc->is_draining = true;
	loop_timer_start(proc->loop, &proc->drain_timer, proc->conf->drain_ms);
	proc->ops->drain(proc, proc->state);
}

void proc_drained(struct proc *proc)
{
	loop_timer_stop(proc->loop, &proc->drain_timer);
	loop_stop(proc->loop);
}

bool proc_is_draining(const struct proc *proc)
{
	return proc->is_draining;
}

struct loop *proc_loop(const struct proc *proc)
{
	assert(proc->loop != NULL);
	return proc->loop;
}

const void *proc_conf(const struct proc *proc)
{
	return proc->conf;
}

void *proc_conf_edit(struct proc *proc)
{
	assert(proc->loop == NULL);
	return proc->conf;
}

const char *proc_name(const struct proc *proc)
{
	return proc->name;
}

void proc_set_name(struct proc *proc, const char *name)
{
	char *copy = mem_dup(name, strlen(name));

	mem_free(proc->name);
	proc->name = copy;
}

uint64_t proc_incarnation(const struct proc *proc)
{
	return proc->incarnation;
}

uint64_t proc_cpu_us(void)
{
	return 0;
}

void proc_ready(struct proc *proc, const char *details, ...)
{
	sim_trace("%s ready %s", proc->name, details);
}

/* Gateways have no workers here, and nobody is a service manager. */
struct notify *proc_notify(struct proc *proc)
{
	(void)proc;
	assert(false);
	return NULL;
}

void proc_count_reloads(struct proc *proc, struct reload_stats *stats)
{
	(void)proc;
	(void)stats;
}

enum err proc_reload_conf(struct proc *proc)
{
	(void)proc;
	assert(false);
	return ERR_IO;
}

int proc_main(const struct proc_ops *ops, int argc, char **argv)
{
	(void)ops;
	(void)argc;
	(void)argv;
	assert(false);
	return EXIT_FAILURE;
}

/* ---- life */

struct sim_node *sim_node_new(const char *name, const struct proc_ops *ops)
{
	struct sim_node *node = &world.nodes[world.n++];

	assert(world.n <= NODES_MAX);
	node->name = name;
	node->ops = ops;
	node->host = sim_host_new();
	return node;
}

void sim_node_configure(struct sim_node *node, const char *const *options, size_t n)
{
	static char program[] = "sim";

	assert(n < OPTIONS_MAX);
	for (int i = 1; i < node->options_n; i++)
		free(node->options[i]);
	node->options[0] = program;
	for (size_t i = 0; i < n; i++) {
		node->options[i + 1] = strdup(options[i]);
		assert(node->options[i + 1] != NULL);
	}
	node->options_n = (int)n + 1;
}

static void proc_load(struct proc *proc)
{
	struct sim_node *node = proc->node;
	char error[CONF_ERROR_MAX];

	proc->conf = mem_zalloc(proc->ops->conf_bytes);
	if (conf_load(proc->ops->conf, proc->conf, node->options_n, node->options, stdout,
		      error) != CONF_RUN)
		sim_fail("%s: %s", node->name, error);
	proc_set_name(proc, node->name);
}

void sim_node_start(struct sim_node *node)
{
	struct proc *proc;

	assert(node->state == NODE_DOWN);
	log_tap(&tap);
	sim_node_enter(node);
	node->memory = 0;
	node->lives++;
	net_host_back(node->host);
	proc = MEM_NEW(struct proc);
	node->proc = proc;
	node->state = NODE_UP;
	proc->ops = node->ops;
	proc->node = node;
	proc_load(proc);
	if (proc->ops->before_loop != NULL)
		proc->ops->before_loop(proc);
	do {
		proc->incarnation = crypto_random_uint64();
	} while (proc->incarnation == 0);
	proc->loop = loop_new();
	timer_init(&proc->drain_timer, on_drain_timeout);
	proc->state = proc->ops->start(proc);
	sim_trace("%s starts incarnation=%016" PRIx64, node->name, proc->incarnation);
	world.current = NULL;
}

/* What it had stays where it is: its process is gone, this one is not. */
void sim_node_kill(struct sim_node *node, bool is_silent)
{
	sim_trace("%s is killed%s", node->name, is_silent ? " silently" : "");
	sim_loop_kill(node->proc->loop);
	net_host_lost(node->host, is_silent);
	node->ended_at = sim_now();
	node->proc = NULL;
	node->state = NODE_DOWN;
}

static void node_end(struct sim_node *node)
{
	struct proc *proc = node->proc;

	proc->ops->stop(proc, proc->state);
	loop_timer_stop(proc->loop, &proc->drain_timer);
	loop_free(proc->loop);
	conf_fini(proc->ops->conf, proc->conf);
	mem_free(proc->conf);
	mem_free(proc->name);
	mem_free(proc);
	node->ended_at = sim_now();
	node->proc = NULL;
	node->state = NODE_DOWN;
	sim_trace("%s ends", node->name);
	sim_expect(node->memory == 0, "%s ended and kept %" PRId64 " bytes", node->name,
		   node->memory);
	net_host_lost(node->host, false);
}

void sim_node_leave(struct sim_node *node)
{
	assert(world.current == node);
	if (sim_loop_is_stopping(node->proc->loop))
		node_end(node);
	world.current = NULL;
}

void sim_node_pause(struct sim_node *node, bool is_paused)
{
	sim_trace("%s %s", node->name, is_paused ? "is stopped" : "goes on");
	node->state = is_paused ? NODE_PAUSED : NODE_UP;
	sim_loop_pause(node->proc->loop, is_paused);
}

/* Outside a turn, as a signal is handled in one of its own. */
void sim_node_term(struct sim_node *node)
{
	sim_trace("%s drains", node->name);
	sim_node_enter(node);
	proc_drain(node->proc);
	sim_loop_wake(node->proc->loop);
	world.current = NULL;
}

void sim_node_reload(struct sim_node *node)
{
	struct proc *proc = node->proc;
	char error[CONF_ERROR_MAX];

	sim_trace("%s reloads", node->name);
	sim_node_enter(node);
	if (conf_reload(proc->ops->conf, proc->conf, node->options_n, node->options,
			error) != OK)
		sim_fail("%s: %s", node->name, error);
	if (proc->ops->reload != NULL)
		proc->ops->reload(proc, proc->state);
	sim_loop_wake(proc->loop);
	world.current = NULL;
}

/* ---- what is known of it */

enum sim_node_state sim_node_state(const struct sim_node *node)
{
	return node->state;
}

bool sim_node_is_draining(const struct sim_node *node)
{
	return node->proc != NULL && node->proc->is_draining;
}

const char *sim_node_name(const struct sim_node *node)
{
	return node->name;
}

unsigned sim_node_host(const struct sim_node *node)
{
	return node->host;
}

void *sim_node_owner(const struct sim_node *node)
{
	return node->proc != NULL ? node->proc->state : NULL;
}

size_t sim_node_memory(const struct sim_node *node)
{
	return node->memory > 0 ? (size_t)node->memory : 0;
}

unsigned sim_node_lives(const struct sim_node *node)
{
	return node->lives;
}

int64_t sim_node_ended(const struct sim_node *node)
{
	return node->ended_at;
}

void sim_node_set_clock(struct sim_node *node, int64_t offset_ms)
{
	node->clock_offset_ms = offset_ms;
}

int64_t sim_node_unix_ms(const struct sim_node *node)
{
	return UNIX_MS_AT_START + sim_now() / SIM_MS +
	       (node != NULL ? node->clock_offset_ms : 0);
}
