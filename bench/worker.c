/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's life: everything is made once, then turns of the loop until the parent says
 * that it is over.
 */
#include "bench/worker_private.h"

#include <assert.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "bench/plan.h"
#include "bench/url.h"
#include "proto/base/mem.h"

_Static_assert(PLAN_DESCRIPTORS_SPARE >= HTTP_POOL_CONNS_MAX + 32,
	       "what the plan lets a worker have is enough for it");

/* A shorter wait is not worth a wake-up: what is due within it goes together. */
#define TICK_US_MIN 50

/* For requests that say goodbye, at the end. */
#define GOODBYE_MS_MAX 2000

#define SEED_STEP UINT64_C(0x9e3779b97f4a7c15) /* workers differ */

void worker_fail(struct worker *worker, const char *format, ...)
{
	va_list args;

	if (atomic_load(&worker->share->is_failed) != 0)
		return;
	va_start(args, format);
	(void)vsnprintf(worker->share->error, sizeof(worker->share->error), format, args);
	va_end(args);
	atomic_store(&worker->share->is_failed, 1);
}

static bool is_failed(const struct worker *worker)
{
	return atomic_load_explicit(&worker->share->is_failed, memory_order_relaxed) != 0;
}

/* ---- what is made at the start; false: worker_fail() was called */

static bool resolve(struct worker *worker, const struct url *url)
{
	const struct addrinfo hints = { .ai_family = AF_INET,
					.ai_socktype = SOCK_STREAM };
	char host[URL_HOST_BYTES_MAX + 1];
	struct addrinfo *found = NULL;
	int rc;

	memcpy(host, url->host.ptr, url->host.len);
	host[url->host.len] = '\0';
	rc = getaddrinfo(host, NULL, &hints, &found);
	if (rc != 0) {
		worker_fail(worker, "url: %s: %s", host, gai_strerror(rc));
		return false;
	}
	memcpy(&worker->site.server, found->ai_addr, sizeof(worker->site.server));
	worker->site.server.sin_port = htons(url->port);
	freeaddrinfo(found);
	return true;
}

static bool make_site(struct worker *worker)
{
	struct url url;

	if (url_read(slice_from_str(worker->conf->url), &url) != OK) {
		worker_fail(worker, "url: %s is no URL", worker->conf->url);
		return false;
	}
	worker->site.intake = &worker->intake;
	worker->site.host = url.authority;
	worker->site.path = url.path;
	if (!resolve(worker, &url))
		return false;
	worker->site.pool = http_pool_new(&worker->intake, &worker->site.server);
	return true;
}

static bool raise_descriptors(struct worker *worker)
{
	const uint64_t need =
		(uint64_t)worker->clients_n * worker->carrier->descriptors_n +
		PLAN_DESCRIPTORS_SPARE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		worker_fail(worker, "the limit of descriptors: %s", err_errno_text());
		return false;
	}
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= need)
		return true;
	worker_fail(worker,
		    "workers: a worker of %u clients needs %llu descriptors and may have "
		    "%llu: more workers are needed",
		    worker->clients_n, (unsigned long long)need,
		    (unsigned long long)limit.rlim_cur);
	return false;
}

static void make_clients(struct worker *worker)
{
	worker->clients = mem_alloc((size_t)worker->clients_n * sizeof(struct client));
	for (uint32_t i = 0; i < worker->clients_n; i++)
		client_init(&worker->clients[i], worker, worker->first + i);
}

static void on_tick(struct loop_io *io, unsigned ready)
{
	struct worker *worker = CONTAINER_OF(io, struct worker, tick);
	uint64_t times;

	(void)ready;
	worker->tick_us = 0;
	/* There is nothing to be done with the count, nor with its absence. */
	(void)!read(loop_io_fd(io), &times, sizeof(times));
}

static bool make_tick(struct worker *worker)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0) {
		worker_fail(worker, "a timer: %s", err_errno_text());
		return false;
	}
	loop_io_init(&worker->tick, worker->loop, fd, on_tick);
	loop_io_want(&worker->tick, LOOP_READ);
	return true;
}

static void make_payload(struct worker *worker)
{
	const struct payload first = { 0, 0, 0, 0 };

	worker->payload = mem_alloc((size_t)worker->conf->size);
	payload_write(worker->payload, (size_t)worker->conf->size, &first);
}

static void worker_init(struct worker *worker, const struct bench_conf *conf,
			uint32_t number, struct share *share)
{
	const uint64_t connections = (uint64_t)conf->connections;
	const uint64_t workers = (uint64_t)conf->workers;

	assert(workers > number);
	worker->conf = conf;
	worker->share = share;
	worker->stats = &share->stats;
	worker->number = number;
	worker->first = (uint32_t)(connections * number / workers);
	worker->clients_n =
		(uint32_t)(connections * (number + 1) / workers) - worker->first;
	worker->scenario = scenario_named(conf->scenario);
	worker->dialect = dialect_named(bench_protocols[conf->protocol]);
	worker->carrier = carrier_named(bench_transports[conf->transport]);
	worker->loop = loop_new();
	worker->ledger = ledger_new(LEDGER_ROWS_MAX);
	arena_init(&worker->arena);
	buf_init(&worker->out);
	buf_init(&worker->reply);
	intake_init(&worker->intake, worker->loop,
		    ((uint64_t)conf->seed + number + 1) * SEED_STEP);
	make_payload(worker);
	make_clients(worker);
}

static bool worker_prepare(struct worker *worker)
{
	const struct bench_conf *conf = worker->conf;

	if (worker->scenario == NULL)
		worker_fail(worker, "scenario: %s is none", conf->scenario);
	else if (worker->carrier == NULL)
		worker_fail(worker, "transport: %s is none",
			    bench_transports[conf->transport]);
	else if (worker->dialect == NULL)
		worker_fail(worker, "protocol: %s is none",
			    bench_protocols[conf->protocol]);
	if (is_failed(worker))
		return false;
	return raise_descriptors(worker) && make_site(worker) && make_tick(worker) &&
	       (worker->scenario->init == NULL || worker->scenario->init(worker));
}

/* Goodbyes that are requests of their own are given time. */
static void close_clients(struct worker *worker)
{
	const int64_t end_ms = loop_now_ms(worker->loop) + GOODBYE_MS_MAX;

	for (uint32_t i = 0; i < worker->clients_n; i++)
		client_close(&worker->clients[i]);
	while (worker->site.pool != NULL && http_pool_is_busy(worker->site.pool) &&
	       loop_now_ms(worker->loop) < end_ms)
		loop_turn(worker->loop, WORKER_WAIT_MS);
}

static void worker_fini(struct worker *worker)
{
	if (worker->scenario_state != NULL && worker->scenario->on_over != NULL)
		worker->scenario->on_over(worker);
	close_clients(worker);
	if (worker->scenario != NULL && worker->scenario->fini != NULL)
		worker->scenario->fini(worker);
	http_pool_free(worker->site.pool);
	if (worker->tick.loop != NULL) {
		loop_io_fini(&worker->tick);
		(void)close(loop_io_fd(&worker->tick)); /* it has nothing to lose */
	}
	loop_free(worker->loop);
	intake_fini(&worker->intake);
	buf_fini(&worker->reply);
	buf_fini(&worker->out);
	arena_fini(&worker->arena);
	ledger_free(worker->ledger);
	mem_free(worker->clients);
	mem_free(worker->payload);
}

/* ---- turns */

/* The loop counts milliseconds: what is due sooner is woken by a timer of its own. */
static void set_tick(struct worker *worker, int64_t wait_us)
{
	const int64_t at_us = loop_clock_us() + wait_us;
	const struct itimerspec at = { .it_value = { at_us / 1000000,
						     at_us % 1000000 * 1000 } };
	int rc;

	if (worker->tick_us != 0 && worker->tick_us <= at_us)
		return;
	worker->tick_us = at_us;
	rc = timerfd_settime(loop_io_fd(&worker->tick), TFD_TIMER_ABSTIME, &at, NULL);
	assert(rc == 0);
}

static void worker_turn(struct worker *worker, int64_t wait_us)
{
	if (wait_us <= 0) {
		loop_turn(worker->loop, 0);
		return;
	}
	if (wait_us < (int64_t)WORKER_WAIT_MS * 1000)
		set_tick(worker, wait_us > TICK_US_MIN ? wait_us : TICK_US_MIN);
	loop_turn(worker->loop, WORKER_WAIT_MS);
}

int worker_run(const struct bench_conf *conf, uint32_t number, struct share *share)
{
	struct worker *worker = MEM_NEW(struct worker);
	bool is_well;

	worker_init(worker, conf, number, share);
	is_well = worker_prepare(worker);
	while (is_well && worker->phase != PHASE_CLOSE) {
		int64_t wait_us = worker_step(worker);

		worker_turn(worker, wait_us);
		is_well = !is_failed(worker);
	}
	worker_fini(worker);
	if (is_well)
		atomic_store(&share->phase_done, PHASE_CLOSE);
	mem_free(worker);
	return is_well ? 0 : 1;
}

/* ---- for scenarios and clients */

struct client *worker_client(struct worker *worker, uint32_t index)
{
	if (index < worker->first || index - worker->first >= worker->clients_n)
		return NULL;
	return &worker->clients[index - worker->first];
}

struct in_addr worker_source(const struct worker *worker, uint32_t index)
{
	const uint32_t sources = (uint32_t)worker->conf->sources;

	if (sources <= 1)
		return (struct in_addr){ htonl(INADDR_ANY) };
	return (struct in_addr){ htonl(INADDR_LOOPBACK + index % sources) };
}

bool worker_is_measuring(const struct worker *worker)
{
	return worker->phase == PHASE_MEASURE;
}
