/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may a link between two processes stand on? Compares, with 100-byte envelopes
 * packed B to a message, NNG's PAIR0 (the yardstick: one peer only), PAIR1 in
 * polyamorous mode (many peers on one socket) and our pipes (NNG's byte streams with
 * frames of our own). Medians of ROUNDS interleaved runs; takes about 35 s.
 *
 * Both ends receive as our processes do: aio callback, locked queue, one eventfd, one
 * thread. The pipe sends one message a loop turn; the sockets send in a bare loop, which
 * spares them the turn. The orchestrator forks both ends and never touches NNG itself,
 * which does not survive a fork.
 */
#include <assert.h>
#include <nng/nng.h>
#include <nng/protocol/pair0/pair.h>
#include <nng/protocol/pair1/pair.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/loop.h"
#include "proto/base/mem.h"
#include "proto/link/pipe_open.h"

#define ENVELOPE_BYTES 100u
#define ROUNDS 3
#define RUN_MS 350
#define RTT_COUNT 2000
#define QUIET_MS 60
#define UNSENT_BYTES_MAX (64u << 10)
#define BUFFER_MESSAGES 128

enum { TRANSPORTS = 5, BATCHES = 5 };
enum kind { PAIR0, PAIR1_POLY, PIPE };

static const struct transport {
	const char *name;
	enum kind kind;
	const char *url;
} transports[TRANSPORTS] = {
	{ "PAIR0 tcp", PAIR0, "tcp://127.0.0.1:0" },
	{ "PAIR1 poly tcp", PAIR1_POLY, "tcp://127.0.0.1:0" },
	{ "pipe tcp", PIPE, "tcp://127.0.0.1:0" },
	{ "PAIR0 ipc", PAIR0, "ipc:///tmp/heliograph_link_transport" },
	{ "pipe ipc", PIPE, "ipc:///tmp/heliograph_link_transport" },
};

static const size_t batches[BATCHES] = { 1, 4, 16, 64, 256 };

/* What the two ends and the orchestrator share: an anonymous mapping. */
struct shared {
	char url[256];
	_Atomic bool is_listening;
	_Atomic bool is_sent;
	_Atomic bool is_over;  /* the end that dialed has seen all it wants */
	_Atomic uint64_t sent; /* envelopes */
	uint64_t delivered;    /* envelopes */
	double tx_us;
	double rx_us;
	double rtt_us[RTT_COUNT];
};

struct run {
	const struct transport *transport;
	size_t batch;
	bool is_rtt;
	struct shared *shared;
};

/* One end: of a socket, or of a pipe. */
struct end {
	struct run *run;
	uint64_t messages; /* that arrived */
	uint64_t bytes;	   /* of them */

	nng_socket socket;
	nng_pipe peer; /* polyamorous: whom to send to */
	nng_aio *aio;
	int wake;
	pthread_mutex_t lock;
	nng_msg **queue; /* owned; guarded by lock, as the next two */
	size_t len;
	size_t cap;

	struct pipe_owner owner;
	struct pipe_acceptor acceptor;
	struct pipe_dial dial;
	struct loop *loop;
	struct pipe *pipe;
	bool is_drained;
};

static double clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void must(bool is_right, const char *what)
{
	if (is_right)
		return;
	fprintf(stderr, "link_transport: failed: %s\n", what);
	_exit(1);
}

static void listening(struct shared *shared, const char *url)
{
	snprintf(shared->url, sizeof(shared->url), "%s", url);
	shared->is_listening = true;
}

static const char *listening_wait(struct shared *shared)
{
	while (!shared->is_listening)
		usleep(500);
	return shared->url;
}

/* ---- an end of a socket */

/* On NNG's thread. */
static void on_message(void *arg)
{
	struct end *end = arg;
	uint64_t one = 1;

	if (nng_aio_result(end->aio))
		return;
	pthread_mutex_lock(&end->lock);
	if (end->len == end->cap) {
		end->cap = end->cap ? 2 * end->cap : 256;
		end->queue = mem_realloc(end->queue, end->cap * sizeof(end->queue[0]));
	}
	end->queue[end->len++] = nng_aio_get_msg(end->aio);
	if (end->len == 1)
		must(write(end->wake, &one, sizeof(one)) > 0, "wake");
	pthread_mutex_unlock(&end->lock);
	nng_recv_aio(end->socket, end->aio);
}

static void sock_turn(struct end *end, int wait_ms)
{
	struct pollfd fd = { .fd = end->wake, .events = POLLIN };
	nng_msg **taken;
	uint64_t count;
	size_t len;

	if (poll(&fd, 1, wait_ms) <= 0)
		return;
	must(read(end->wake, &count, sizeof(count)) > 0, "read the wake");
	pthread_mutex_lock(&end->lock);
	taken = end->queue;
	len = end->len;
	end->queue = NULL;
	end->len = 0;
	end->cap = 0;
	pthread_mutex_unlock(&end->lock);
	for (size_t i = 0; i < len; i++) {
		end->bytes += nng_msg_len(taken[i]);
		nng_msg_free(taken[i]);
	}
	end->messages += len;
	mem_free(taken);
}

static void sock_send(struct end *end, size_t len)
{
	nng_msg *msg;

	must(!nng_msg_alloc(&msg, len), "allocate");
	memset(nng_msg_body(msg), 'x', len);
	if (end->run->transport->kind == PAIR1_POLY)
		nng_msg_set_pipe(msg, end->peer);
	must(!nng_sendmsg(end->socket, msg, 0), "send");
}

/* The end that listens hears a hello first, and so knows its peer. */
static void sock_open(struct end *end, bool is_listener)
{
	const struct transport *transport = end->run->transport;
	nng_socket *socket = &end->socket;
	char url[64];
	nng_listener listener;
	nng_msg *hello;
	int port = 0;

	end->wake = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&end->lock, NULL);
	must(!(transport->kind == PAIR0 ? nng_pair0_open(socket)
					: nng_pair1_open_poly(socket)),
	     "open");
	must(!nng_socket_set_int(*socket, NNG_OPT_SENDBUF, BUFFER_MESSAGES), "sendbuf");
	must(!nng_socket_set_int(*socket, NNG_OPT_RECVBUF, BUFFER_MESSAGES), "recvbuf");
	if (is_listener) {
		must(!nng_listen(*socket, transport->url, &listener, 0), "listen");
		snprintf(url, sizeof(url), "%s", transport->url);
		if (!nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port))
			snprintf(url, sizeof(url), "tcp://127.0.0.1:%d", port);
		listening(end->run->shared, url);
		must(!nng_recvmsg(*socket, &hello, 0), "hear hello");
		end->peer = nng_msg_get_pipe(hello);
		nng_msg_free(hello);
	} else {
		must(!nng_dial(*socket, listening_wait(end->run->shared), NULL, 0),
		     "dial");
		sock_send(end, 1);
	}
	must(!nng_aio_alloc(&end->aio, on_message, end), "make an aio");
	nng_recv_aio(*socket, end->aio);
}

/* ---- an end of a pipe */

static void on_frame(struct pipe_owner *owner, struct pipe *pipe, struct slice frame)
{
	struct end *end = CONTAINER_OF(owner, struct end, owner);

	assert(pipe == end->pipe);
	end->bytes += frame.len;
	end->messages++;
}

static void on_drained(struct pipe_owner *owner, struct pipe *pipe)
{
	struct end *end = CONTAINER_OF(owner, struct end, owner);

	assert(pipe == end->pipe);
	end->is_drained = true;
}

static void on_closed(struct pipe_owner *owner, struct pipe *pipe, enum err rc)
{
	struct end *end = CONTAINER_OF(owner, struct end, owner);

	assert(pipe == end->pipe);
	must(end->run->shared->is_over, err_name(rc));
}

static const struct pipe_ops end_ops = { on_frame, on_drained, on_closed };

static void on_accept(struct pipe_acceptor *acceptor, struct pipe *pipe)
{
	struct end *end = CONTAINER_OF(acceptor, struct end, acceptor);

	end->pipe = pipe;
	pipe_set_owner(pipe, &end->owner);
}

static void on_dialed(struct pipe_dial *dial, struct pipe *pipe, enum err rc)
{
	struct end *end = CONTAINER_OF(dial, struct end, dial);

	must(rc == OK, "dial");
	end->pipe = pipe;
	pipe_set_owner(pipe, &end->owner);
}

static void pipe_end_open(struct end *end, bool is_listener)
{
	const char *url = end->run->transport->url;
	struct pipe_listener *listener;
	struct pipe_set *set;

	end->owner.ops = &end_ops;
	end->acceptor.fn = on_accept;
	end->loop = loop_new();
	set = pipe_set_new(end->loop);
	pipe_dial_init(&end->dial, on_dialed);
	if (is_listener) {
		must(pipe_listen(set, url, &end->acceptor, &listener) == OK, "listen");
		listening(end->run->shared, pipe_listener_url(listener));
	} else {
		pipe_dial_start(set, listening_wait(end->run->shared), &end->dial);
	}
	while (!end->pipe)
		loop_turn(end->loop, -1);
}

static void pipe_end_send(struct end *end, size_t len)
{
	static char payload[256 * ENVELOPE_BYTES];
	struct slice part = slice_make(payload, len);

	must(pipe_send(end->pipe, &part, 1) == OK, "send");
	loop_turn(end->loop, 0);
	if (pipe_unsent_bytes(end->pipe) < UNSENT_BYTES_MAX)
		return;
	end->is_drained = false;
	pipe_want_drained(end->pipe);
	while (!end->is_drained)
		loop_turn(end->loop, -1);
}

/* ---- either */

static void end_open(struct end *end, struct run *run, bool is_listener)
{
	*end = (struct end){ .run = run };
	(run->transport->kind == PIPE ? pipe_end_open : sock_open)(end, is_listener);
}

static void end_send(struct end *end, size_t len)
{
	(end->run->transport->kind == PIPE ? pipe_end_send : sock_send)(end, len);
}

static void end_turn(struct end *end, int wait_ms)
{
	if (end->run->transport->kind == PIPE)
		loop_turn(end->loop, wait_ms);
	else
		sock_turn(end, wait_ms);
}

static void end_tx(struct run *run)
{
	struct end end;
	double start;

	end_open(&end, run, true);
	start = clock_us(CLOCK_MONOTONIC);
	run->shared->tx_us = -clock_us(CLOCK_PROCESS_CPUTIME_ID);
	while (clock_us(CLOCK_MONOTONIC) - start < RUN_MS * 1e3) {
		end_send(&end, run->batch * ENVELOPE_BYTES);
		run->shared->sent += run->batch;
	}
	run->shared->is_sent = true;
	while (!run->shared->is_over)
		end_turn(&end, QUIET_MS);
	run->shared->tx_us += clock_us(CLOCK_PROCESS_CPUTIME_ID);
}

static void end_rx(struct run *run)
{
	struct shared *shared = run->shared;
	struct end end;
	uint64_t bytes;
	bool is_over;

	end_open(&end, run, false);
	shared->rx_us = -clock_us(CLOCK_PROCESS_CPUTIME_ID);
	do {
		bytes = end.bytes;
		end_turn(&end, QUIET_MS);
		/* All is here, or a transport that drops went quiet. */
		is_over =
			shared->is_sent && (end.bytes >= shared->sent * ENVELOPE_BYTES ||
					    end.bytes == bytes);
	} while (!is_over);
	shared->rx_us += clock_us(CLOCK_PROCESS_CPUTIME_ID);
	shared->delivered = end.bytes / ENVELOPE_BYTES;
	shared->is_over = true;
}

static void end_ask(struct run *run)
{
	struct end end;

	end_open(&end, run, false);
	for (size_t i = 0; i < RTT_COUNT; i++) {
		double start = clock_us(CLOCK_MONOTONIC);

		end_send(&end, ENVELOPE_BYTES);
		while (end.messages <= i)
			end_turn(&end, -1);
		run->shared->rtt_us[i] = clock_us(CLOCK_MONOTONIC) - start;
	}
	run->shared->is_over = true;
}

static void end_answer(struct run *run)
{
	struct end end;
	uint64_t answered = 0;

	end_open(&end, run, true);
	while (!run->shared->is_over) {
		end_turn(&end, QUIET_MS);
		for (; answered < end.messages; answered++)
			end_send(&end, ENVELOPE_BYTES);
	}
}

/* ---- the orchestrator */

static pid_t fork_end(struct run *run, void (*fn)(struct run *))
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (!pid) {
		alarm(20); /* should the other end fail */
		fn(run);
		_exit(0);
	}
	return pid;
}

static int compare(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

static void measure(struct run *run, double figures[2])
{
	struct shared *shared = run->shared;
	pid_t listening_end;
	pid_t dialing_end;
	int status;

	memset(shared, 0, sizeof(*shared));
	listening_end = fork_end(run, run->is_rtt ? end_answer : end_tx);
	dialing_end = fork_end(run, run->is_rtt ? end_ask : end_rx);
	must(waitpid(dialing_end, &status, 0) > 0 && !status, "dialing end");
	must(waitpid(listening_end, &status, 0) > 0 && !status, "listening end");
	if (run->is_rtt) {
		qsort(shared->rtt_us, RTT_COUNT, sizeof(double), compare);
		figures[0] = shared->rtt_us[RTT_COUNT / 2];
		figures[1] = shared->rtt_us[RTT_COUNT * 99 / 100];
	} else {
		must(shared->tx_us > 0 && shared->rx_us > 0, "count CPU");
		figures[0] = (shared->tx_us + shared->rx_us) / (double)shared->delivered;
		figures[1] = 1 - (double)shared->delivered / (double)shared->sent;
	}
}

/* Two figures a run: CPU and dropped share or, in column BATCHES, rtt p50 and p99. */
typedef double results[ROUNDS][TRANSPORTS][BATCHES + 1][2];

static double median(results all, size_t transport, size_t column, int which)
{
	double values[ROUNDS];

	for (size_t r = 0; r < ROUNDS; r++)
		values[r] = all[r][transport][column][which];
	qsort(values, ROUNDS, sizeof(double), compare);
	return values[ROUNDS / 2];
}

static void report(results all)
{
	printf("us of CPU, both processes, per delivered envelope; x = against PAIR0 "
	       "tcp;\n"
	       "n%% = dropped without an error\n\n%-15s",
	       "envelopes:");
	for (size_t b = 0; b < BATCHES; b++)
		printf(" %18zu", batches[b]);
	printf("  rtt p50/p99 us\n");
	for (size_t t = 0; t < TRANSPORTS; t++) {
		printf("%-15s", transports[t].name);
		for (size_t b = 0; b < BATCHES; b++) {
			double us = median(all, t, b, 0);

			printf(" %7.3f x%-4.2f %3.0f%%", us, us / median(all, 0, b, 0),
			       median(all, t, b, 1) * 100);
		}
		printf("  %6.0f / %.0f\n", median(all, t, BATCHES, 0),
		       median(all, t, BATCHES, 1));
	}
}

int main(void)
{
	static results all;
	struct run run;

	run.shared = mmap(NULL, sizeof(*run.shared), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	must(run.shared != MAP_FAILED, "map");
	for (size_t r = 0; r < ROUNDS; r++) {
		for (size_t t = 0; t < TRANSPORTS; t++) {
			run.transport = &transports[t];
			for (size_t b = 0; b <= BATCHES; b++) {
				run.is_rtt = b == BATCHES;
				run.batch = run.is_rtt ? 1 : batches[b];
				measure(&run, all[r][t][b]);
			}
		}
	}
	unlink("/tmp/heliograph_link_transport");
	report(all);
	return 0;
}
