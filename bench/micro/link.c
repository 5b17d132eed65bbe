/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What does an envelope cost on a link? Two processes with the real link code (session,
 * packing, batches, acknowledgements) over tcp and ipc: CPU of both together for an
 * envelope when B of them are sent a loop turn, and the round trip of a lone one, which
 * is what gateway -> router -> gateway takes. Medians of ROUNDS interleaved runs, with
 * the lowest and highest; takes about 25 s.
 *
 *	link [tcp|ipc B ENVELOPES]	one run of that many envelopes, for a profiler
 *
 * The orchestrator forks both ends and never touches NNG itself, which does not survive a
 * fork.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/link.h"
#include "proto/link/link_stats.h"

#define PAYLOAD_BYTES 100u
#define ROUNDS 7
#define RUN_US 200000.0
#define RTT_COUNT 2000
#define RTT_SKIPPED 100
#define QUIET_MS 20
#define WINDOW_BYTES (16 << 20)
/* So many envelopes and turns may be on their way: what a busy process sees of a peer
 * that keeps up. */
#define FLIGHT_ENVELOPES 4096u
#define FLIGHT_TURNS 64u

enum { URLS = 2, BATCHES = 4 };

static const struct url {
	const char *name;
	const char *url;
} urls[URLS] = {
	{ "tcp", "tcp://127.0.0.1:0" },
	{ "ipc", "ipc:///tmp/heliograph_bench_link" },
};

static const unsigned batches[BATCHES] = { 1, 16, 64, 256 };

/* What the two ends and the orchestrator share: an anonymous mapping. */
struct shared {
	char url[256];
	_Atomic bool is_listening;
	_Atomic bool is_over;
	uint64_t envelopes;
	uint64_t batches;
	double tx_us; /* CPU */
	double rx_us;
	double rtt_us[RTT_COUNT];
};

struct run {
	const struct url *url;
	unsigned batch;
	uint64_t envelopes_max; /* 0: as many as RUN_US holds */
	bool is_echo;		/* the listener sends back what it gets */
	struct shared *shared;
};

struct end;

/* The envelopes of one turn; its ticket travels with the last of them. */
struct turn {
	struct end *end;
	struct session_ticket ticket;
	bool is_free;
};

struct end {
	struct run *run;
	struct loop *loop;
	struct link *link;
	struct link_peer *peer;
	struct link_stats stats;
	struct turn turns[FLIGHT_TURNS];
	unsigned in_flight; /* turns */
	uint64_t arrived;
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
	fprintf(stderr, "link: failed: %s\n", what);
	_exit(1);
}

/* ---- an end */

static void on_up(struct link_peer *peer, bool is_new)
{
	struct end *end = link_owner(link_peer_link(peer));

	must(is_new, "a new session");
	end->peer = peer;
}

static void on_gone(struct link_peer *peer)
{
	struct end *end = link_owner(link_peer_link(peer));

	must(end->run->shared->is_over, "the link stays up");
}

static void invoke_send(const struct end *end, struct session_ticket *ticket)
{
	static const char arguments[PAYLOAD_BYTES] = "[";
	Link__Invoke invoke = LINK__INVOKE__INIT;

	invoke.hub = link_bytes(SLICE("chat"));
	invoke.connection = link_bytes(SLICE("Pq3cDsKEWnyYwIzEMsqMDw"));
	invoke.call = 1000;
	invoke.target = link_bytes(SLICE("SendMessage"));
	invoke.protocol = 1;
	invoke.arguments = link_bytes(slice_make(arguments, sizeof(arguments)));
	must(link_send_invoke(end->peer, &invoke, ticket) == OK, "send");
}

static void on_envelope(struct link_peer *peer, const Link__Envelope *envelope)
{
	struct end *end = link_owner(link_peer_link(peer));

	must(envelope->body_case == LINK__ENVELOPE__BODY_INVOKE, "an Invoke");
	must(envelope->invoke->arguments.len == PAYLOAD_BYTES, "a whole Invoke");
	end->arrived++;
	if (end->run->is_echo && link_peer_role(peer) == LINK__ROLE__ROLE_GATEWAY)
		invoke_send(end, NULL);
}

static void on_ticket(struct session_ticket *ticket, enum err rc)
{
	struct turn *turn = CONTAINER_OF(ticket, struct turn, ticket);

	must(rc == OK, "an acknowledgement");
	turn->is_free = true;
	turn->end->in_flight--;
}

static void end_open(struct end *end, struct run *run, bool is_listener)
{
	static const struct link_ops ops = {
		.on_up = on_up,
		.on_down = on_gone,
		.on_lost = on_gone,
		.on_envelope = on_envelope,
	};
	const struct link_options options = {
		.role = is_listener ? LINK__ROLE__ROLE_ROUTER : LINK__ROLE__ROLE_GATEWAY,
		.accepts = 1U << LINK__ROLE__ROLE_GATEWAY,
		.name = is_listener ? "r1" : "g1",
		.incarnation = 1,
		.keys = &SECRETS_OF(slice_from_str("0123456789abcdef0123456789abcdef")),
		.window_bytes_max = WINDOW_BYTES,
		.ping_interval_ms = 1000,
		.stream_timeout_ms = 5000,
		.peer_timeout_ms = 10000,
		.ops = &ops,
		.owner = end,
		.stats = &end->stats,
	};

	*end = (struct end){ .run = run, .loop = loop_new() };
	for (unsigned i = 0; i < FLIGHT_TURNS; i++) {
		end->turns[i] = (struct turn){ .end = end, .is_free = true };
		session_ticket_init(&end->turns[i].ticket, on_ticket);
	}
	end->link = link_new(end->loop, &options);
	if (is_listener) {
		must(link_listen(end->link, run->url->url) == OK, "listen");
		snprintf(run->shared->url, sizeof(run->shared->url), "%s",
			 link_listen_url(end->link));
		run->shared->is_listening = true;
	} else {
		while (!run->shared->is_listening)
			usleep(500);
		link_dial(end->link, LINK__ROLE__ROLE_ROUTER, "r1", run->shared->url);
	}
	while (end->peer == NULL)
		loop_turn(end->loop, -1);
}

static void turn_send(struct end *end, unsigned turns_max)
{
	unsigned i = 0;

	while (end->in_flight >= turns_max)
		loop_turn(end->loop, -1);
	while (!end->turns[i].is_free)
		i++;
	for (unsigned n = 1; n < end->run->batch; n++)
		invoke_send(end, NULL);
	invoke_send(end, &end->turns[i].ticket);
	end->turns[i].is_free = false;
	end->in_flight++;
	loop_turn(end->loop, 0);
}

static void end_tx(struct run *run)
{
	struct shared *shared = run->shared;
	const unsigned fit = FLIGHT_ENVELOPES / run->batch;
	const unsigned turns_max = fit < FLIGHT_TURNS ? fit : FLIGHT_TURNS;
	const double start = clock_us(CLOCK_MONOTONIC);
	struct end end;
	uint64_t sent = 0;

	end_open(&end, run, false);
	shared->tx_us = -clock_us(CLOCK_PROCESS_CPUTIME_ID);
	while (run->envelopes_max > 0 ? sent < run->envelopes_max
				      : clock_us(CLOCK_MONOTONIC) - start < RUN_US) {
		turn_send(&end, turns_max);
		sent += run->batch;
	}
	while (end.in_flight > 0)
		loop_turn(end.loop, -1);
	shared->tx_us += clock_us(CLOCK_PROCESS_CPUTIME_ID);
	shared->envelopes = sent;
	shared->batches = end.stats.batches_out_total;
	shared->is_over = true;
}

static void end_rx(struct run *run)
{
	struct end end;

	end_open(&end, run, true);
	run->shared->rx_us = -clock_us(CLOCK_PROCESS_CPUTIME_ID);
	while (!run->shared->is_over)
		loop_turn(end.loop, QUIET_MS);
	run->shared->rx_us += clock_us(CLOCK_PROCESS_CPUTIME_ID);
	must(end.arrived == run->shared->envelopes, "all that was sent arrives");
}

static void end_ask(struct run *run)
{
	struct end end;

	end_open(&end, run, false);
	for (size_t i = 0; i < RTT_COUNT; i++) {
		const double start = clock_us(CLOCK_MONOTONIC);

		invoke_send(&end, NULL);
		while (end.arrived <= i)
			loop_turn(end.loop, -1);
		run->shared->rtt_us[i] = clock_us(CLOCK_MONOTONIC) - start;
	}
	run->shared->is_over = true;
}

static void end_answer(struct run *run)
{
	struct end end;

	end_open(&end, run, true);
	while (!run->shared->is_over)
		loop_turn(end.loop, QUIET_MS);
}

/* ---- the orchestrator */

static pid_t fork_end(struct run *run, void (*fn)(struct run *))
{
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid == 0) {
		alarm(60); /* should the other end fail */
		log_open(LOG_LOGFMT, LOG_ERROR, "link");
		fn(run);
		_exit(0);
	}
	return pid;
}

static void run_both(struct run *run, void (*dialer)(struct run *),
		     void (*listener)(struct run *))
{
	pid_t pids[2];
	int status;

	*run->shared = (struct shared){ .envelopes = 0 };
	pids[0] = fork_end(run, listener);
	pids[1] = fork_end(run, dialer);
	for (unsigned i = 0; i < 2; i++) {
		must(waitpid(pids[i], &status, 0) == pids[i], "wait");
		must(WIFEXITED(status) && WEXITSTATUS(status) == 0, "an end");
	}
}

static int compare(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

static void print_spread(double *figures)
{
	qsort(figures, ROUNDS, sizeof(*figures), compare);
	printf("%9.3f (%.3f-%.3f)", figures[ROUNDS / 2], figures[0], figures[ROUNDS - 1]);
}

static double measure_cpu(struct run *run)
{
	run_both(run, end_tx, end_rx);
	return (run->shared->tx_us + run->shared->rx_us) / (double)run->shared->envelopes;
}

static void measure_rtt(struct run *run, double *p50, double *p99)
{
	const size_t n = RTT_COUNT - RTT_SKIPPED;
	double *rtt_us = run->shared->rtt_us + RTT_SKIPPED;

	run->is_echo = true;
	run_both(run, end_ask, end_answer);
	run->is_echo = false;
	qsort(rtt_us, n, sizeof(*rtt_us), compare);
	*p50 = rtt_us[n / 2];
	*p99 = rtt_us[n * 99 / 100];
}

static void table_print(struct shared *shared)
{
	static double cpu[URLS][BATCHES][ROUNDS];
	static double p50[URLS][ROUNDS];
	static double p99[URLS][ROUNDS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		for (unsigned u = 0; u < URLS; u++) {
			struct run run = { .url = &urls[u], .shared = shared };

			for (unsigned b = 0; b < BATCHES; b++) {
				run.batch = batches[b];
				cpu[u][b][round] = measure_cpu(&run);
			}
			measure_rtt(&run, &p50[u][round], &p99[u][round]);
		}
	}
	for (unsigned u = 0; u < URLS; u++) {
		for (unsigned b = 0; b < BATCHES; b++) {
			printf("%s %4u a turn, CPU us an envelope ", urls[u].name,
			       batches[b]);
			print_spread(cpu[u][b]);
			printf("\n");
		}
		printf("%s lone, round trip us: p50 ", urls[u].name);
		print_spread(p50[u]);
		printf(" p99 ");
		print_spread(p99[u]);
		printf("\n");
	}
}

int main(int argc, char **argv)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct run run = { .shared = shared };

	must(shared != MAP_FAILED, "mmap");
	if (argc != 4) {
		table_print(shared);
		return 0;
	}
	run.url = strcmp(argv[1], "tcp") == 0 ? &urls[0] : &urls[1];
	run.batch = (unsigned)strtoul(argv[2], NULL, 10);
	must(run.batch >= 1 && run.batch <= FLIGHT_ENVELOPES, "B from 1 to 4096");
	run.envelopes_max = strtoull(argv[3], NULL, 10);
	printf("%.3f us an envelope", measure_cpu(&run));
	printf(", sent %.3f received %.3f, %.1f envelopes a batch\n",
	       shared->tx_us / (double)shared->envelopes,
	       shared->rx_us / (double)shared->envelopes,
	       (double)shared->envelopes / (double)shared->batches);
	return 0;
}
