/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for the process around a gateway, its secrets and its listeners. Definitions:
 * for the one source of a test program.
 */
#ifndef TESTS_UNIT_GATEWAY_FAKE_PROC_H
#define TESTS_UNIT_GATEWAY_FAKE_PROC_H

#include "gateway/admin.h"
#include "gateway/edge.h"
#include "gateway/workers.h"
#include "tests/unit/gateway/conn_kit.h"

const char *const proc_log_levels[] = { "debug", NULL };
const char *const proc_log_formats[] = { "logfmt", NULL };

struct loop *proc_loop(const struct proc *proc)
{
	return proc->loop;
}

const void *proc_conf(const struct proc *proc)
{
	return &proc->conf;
}

const char *proc_name(const struct proc *proc)
{
	return proc->conf.proc.name;
}

uint64_t proc_incarnation(const struct proc *proc)
{
	(void)proc;
	return 1;
}

void proc_drained(struct proc *proc)
{
	proc->is_drained = true;
}

void secret_read(const char *option, const char *path, struct buf *key)
{
	buf_append_str(key, option);
	buf_append_str(key, path);
}

void secret_fini(struct buf *key)
{
	buf_fini(key);
}

void edge_open(struct gateway *gateway)
{
	(void)gateway;
}

void edge_drain(struct gateway *gateway)
{
	gateway->proc->is_edge_drained = true;
}

void edge_close(struct gateway *gateway)
{
	(void)gateway;
}

void admin_open(struct gateway *gateway)
{
	(void)gateway;
}

void admin_close(struct gateway *gateway)
{
	(void)gateway;
}

void workers_ready(const struct gateway *gateway)
{
	(void)gateway;
}

void workers_before_loop(struct proc *proc)
{
	(void)proc;
}

#endif
