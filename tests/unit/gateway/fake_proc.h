/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for the process around a gateway, its secrets and its listeners. Definitions:
 * for the one source of a test program.
 */
#ifndef TESTS_UNIT_GATEWAY_FAKE_PROC_H
#define TESTS_UNIT_GATEWAY_FAKE_PROC_H

#include "gateway/admin.h"
#include "gateway/certificate.h"
#include "gateway/edge.h"
#include "gateway/edge_keys.h"
#include "gateway/workers.h"
#include <stdlib.h>

#include "proto/base/secret.h"
#include "proto/base/sock.h"
#include "tests/unit/gateway/conn_kit.h"

const char *const proc_log_levels[] = { "debug", "info", "warn", "error", NULL };
const char *const proc_log_formats[] = { "logfmt", "json", NULL };

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

bool proc_is_draining(const struct proc *proc)
{
	return proc->is_draining;
}

uint64_t proc_cpu_us(void)
{
	return 1234;
}

void proc_drained(struct proc *proc)
{
	proc->is_drained = true;
}

void proc_count_reloads(struct proc *proc, struct reload_stats *stats)
{
	(void)proc;
	(void)stats;
}

void secrets_read(struct secrets *secrets, const char *option, const char *path)
{
	(void)path;
	*secrets = SECRETS_OF(slice_from_str(option));
}

void secrets_fini(struct secrets *secrets)
{
	*secrets = SECRETS_INIT;
}

void secret_fini(struct buf *key)
{
	buf_fini(key);
}

bool edge_keys_reload(struct gateway *gateway)
{
	(void)gateway;
	return true;
}

#if !defined(TESTS_UNIT_GATEWAY_FAKE_SOCK_H) && !defined(FAKE_PROC_REAL_SOCKS)
/* A gateway without sockets has none to write to. */
void sock_move(struct sock *to, struct sock *from, loop_io_fn *fn)
{
	(void)to;
	(void)from;
	(void)fn;
	abort();
}

void sock_fini(struct sock *sock)
{
	(void)sock;
	abort();
}

void sock_want(struct sock *sock, unsigned want)
{
	(void)sock;
	(void)want;
	abort();
}

ssize_t sock_recv(struct sock *sock, void *ptr, size_t len)
{
	(void)sock;
	(void)ptr;
	(void)len;
	abort();
}

ssize_t sock_sendv(struct sock *sock, struct iovec *iov, int n)
{
	(void)sock;
	(void)iov;
	(void)n;
	abort();
}

ssize_t sock_send(struct sock *sock, const void *ptr, size_t len)
{
	(void)sock;
	(void)ptr;
	(void)len;
	abort();
}

enum err sock_shut_write(struct sock *sock)
{
	(void)sock;
	abort();
}

#endif

struct tls *certificate_load(struct gateway *gateway)
{
	(void)gateway;
	return NULL;
}

bool certificate_reload(struct gateway *gateway)
{
	(void)gateway;
	return true;
}

void edge_open(struct gateway *gateway)
{
	(void)gateway;
}

void edge_drain(struct gateway *gateway)
{
	gateway->proc->is_edge_drained = true;
}

#ifndef FAKE_PROC_REAL_SOCKS
void edge_close(struct gateway *gateway)
{
	(void)gateway;
}
#endif

void admin_open(struct gateway *gateway)
{
	(void)gateway;
}

void admin_close(struct gateway *gateway)
{
	(void)gateway;
}

void admin_status(struct proc *proc, void *state, struct proc_status *status)
{
	(void)proc;
	(void)state;
	(void)status;
}

void workers_ready(const struct gateway *gateway)
{
	(void)gateway;
}

void workers_drain(const struct gateway *gateway)
{
	gateway->proc->is_drain_asked = true;
}

void workers_before_loop(struct proc *proc)
{
	(void)proc;
}

#endif
