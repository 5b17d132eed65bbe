/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes of the cluster, each on a host of its own: what proto/base/proc.h makes of a
 * program's ops, for many of them in one. A process is started again under its name as
 * another incarnation.
 */
#ifndef TESTS_SIM_NODE_H
#define TESTS_SIM_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proc_ops;
struct sim_node;

enum sim_node_state { NODE_DOWN, NODE_UP, NODE_PAUSED };

/* `options` are its command line, "--name=value"; kept until sim_node_configure(). */
struct sim_node *sim_node_new(const char *name, const struct proc_ops *ops);
void sim_node_configure(struct sim_node *node, const char *const *options, size_t n);

/* ---- life */

void sim_node_start(struct sim_node *node);

/* SIGKILL; silently: its machine has lost power. */
void sim_node_kill(struct sim_node *node, bool is_silent);

/* SIGSTOP and SIGCONT. */
void sim_node_pause(struct sim_node *node, bool is_paused);

/* SIGTERM: it drains, and is down some time later. */
void sim_node_term(struct sim_node *node);

/* SIGHUP, with the options that it was given last. */
void sim_node_reload(struct sim_node *node);

enum sim_node_state sim_node_state(const struct sim_node *node);
bool sim_node_is_draining(const struct sim_node *node);

/* Hears what processes log. */
typedef void sim_node_log_fn(const char *id, const char *pairs);
void sim_node_on_log(sim_node_log_fn *fn);

/* ---- what is known of it */

const char *sim_node_name(const struct sim_node *node);
unsigned sim_node_host(const struct sim_node *node);
void *sim_node_owner(const struct sim_node *node); /* the program's state; NULL: down */
size_t sim_node_memory(const struct sim_node *node);
unsigned sim_node_lives(const struct sim_node *node);

/* When it was last killed or ended; 0: never. */
int64_t sim_node_ended(const struct sim_node *node);

/* Its wall clock goes wrong by so much. */
void sim_node_set_clock(struct sim_node *node, int64_t offset_ms);

/* `node` may be NULL: a clock that is right. */
int64_t sim_node_unix_ms(const struct sim_node *node);

/* ---- for the stand-ins of what processes have of the system */

/* Whose code runs; NULL: none of the cluster's. */
struct sim_node *sim_node_current(void);
void sim_node_enter(struct sim_node *node);

/* Ends the process if its loop was stopped. */
void sim_node_leave(struct sim_node *node);
void sim_node_count_memory(int64_t bytes);

/* Hosts: those of processes, then those of clients. */
bool sim_host_find(const char *name, unsigned *host);
unsigned sim_host_new(void);
void sim_host_wake(unsigned host);

#endif
