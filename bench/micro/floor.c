/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor under every fan-out: a WebSocket server that does the system calls and
 * nothing else. What one client says, in a text frame, goes to all of them, itself too.
 * It knows no hub, group, user, protocol, timer, limit or log, so what a server needs
 * beyond it is what these cost.
 *
 *	floor                      measures: CPU of both modes, 1,000 receivers
 *	floor --serve=unbatched    a server for the load tool: one send() a delivery
 *	floor --serve=batched      what came in one turn leaves in one send() a receiver
 *	      --port=N             0, the default: the kernel chooses
 *
 * A server prints "listening PORT" and ends by a signal. Frames are whole and at most
 * 64 KiB; who sends anything else is closed.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* accept4 */
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/ws_frame.h"
#include "gateway/ws_opening.h"
#include "proto/base/buf.h"
#include "proto/base/http_parse.h"
#include "proto/base/mem.h"

#define LISTEN_BACKLOG 65535
#define EVENTS_MAX 512
#define READ_BYTES 65536u
#define ACCEPTS_MAX 256		   /* in one turn */
#define MESSAGE_BYTES_MAX 1048576u /* and what may wait for one client */

static void must(bool is_right, const char *what)
{
	if (is_right)
		return;
	perror(what);
	_exit(1);
}

/* ---- the server */

enum mode { UNBATCHED, BATCHED };

struct client {
	struct buf in;	/* of the opening or of a frame, what is not whole yet */
	struct buf out; /* what the kernel would not take */
	bool is_open;	/* past the opening */
};

/* A client's place is its descriptor. */
struct server {
	enum mode mode;
	int epoll;
	int listener;
	struct client *clients; /* owned */
	int fds_n;		/* places in it */
	int fds_end;		/* one above the highest in use */
	struct buf turn;	/* frames that wait for the turn's end */
	char bytes[READ_BYTES];
};

static void client_watch(struct server *server, int fd, int op, unsigned events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	must(epoll_ctl(server->epoll, op, fd, &event) == 0, "epoll_ctl");
}

static void client_close(struct server *server, int fd)
{
	struct client *client = &server->clients[fd];

	buf_fini(&client->in);
	buf_fini(&client->out);
	*client = (struct client){ 0 };
	close(fd);
}

static void client_send(struct server *server, int fd, struct slice bytes)
{
	struct client *client = &server->clients[fd];
	ssize_t n = 0;

	if (client->out.len == 0)
		n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN)
		return; /* its end is an event of its own */
	n = n > 0 ? n : 0;
	if ((size_t)n == bytes.len)
		return;
	if (client->out.len == 0)
		client_watch(server, fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
	if (client->out.len + bytes.len > MESSAGE_BYTES_MAX)
		shutdown(fd, SHUT_RDWR); /* too slow; closed at its event */
	else
		buf_append_slice(&client->out, slice_from(bytes, (size_t)n));
}

static void on_writable(struct server *server, int fd)
{
	struct buf *out = &server->clients[fd].out;
	ssize_t n = send(fd, out->ptr, out->len, MSG_NOSIGNAL);

	if (n > 0)
		buf_consume(out, (size_t)n);
	if (out->len > 0)
		return;
	buf_fini(out);
	client_watch(server, fd, EPOLL_CTL_MOD, EPOLLIN);
}

static void send_to_all(struct server *server, struct slice frames)
{
	for (int fd = 0; fd < server->fds_end; fd++) {
		if (server->clients[fd].is_open)
			client_send(server, fd, frames);
	}
}

static void turn_end(struct server *server)
{
	if (server->turn.len == 0)
		return;
	send_to_all(server, buf_slice(&server->turn));
	buf_clear(&server->turn);
}

static void on_frame(struct server *server, int fd, enum ws_opcode opcode,
		     struct slice payload)
{
	char header[WS_HEADER_BYTES_MAX];
	enum ws_opcode answer = opcode == WS_PING ? WS_PONG : opcode;
	size_t n = ws_frame_header(header, answer, payload.len);

	/* All clients of one turn share the buffer: an answer of one's own goes first. */
	if (answer == WS_PONG)
		turn_end(server);
	buf_append(&server->turn, header, n);
	buf_append_slice(&server->turn, payload);
	if (answer == WS_PONG) {
		client_send(server, fd, buf_slice(&server->turn));
		buf_clear(&server->turn);
	} else if (server->mode == UNBATCHED) {
		turn_end(server);
	}
}

/* Bytes of the whole frame at `ptr`, 0: not whole yet, -1: not what we take. */
static ssize_t frame_cut(struct server *server, int fd, char *ptr, size_t len)
{
	const uint8_t *head = (const uint8_t *)ptr;
	size_t head_len = 6;
	size_t payload_len;
	uint8_t mask[4];

	if (len < 2)
		return 0;
	payload_len = head[1] & 0x7f;
	if ((head[0] & 0xf0) != 0x80 || !(head[1] & 0x80) || payload_len == 127)
		return -1;
	if (len < head_len)
		return 0;
	if (payload_len == 126) {
		head_len = 8;
		payload_len = (size_t)head[2] << 8 | head[3];
	}
	if (len < head_len + payload_len)
		return 0;
	memcpy(mask, ptr + head_len - sizeof(mask), sizeof(mask));
	ws_frame_mask(ptr + head_len, payload_len, mask);
	if ((head[0] & 0xf) == WS_CLOSE)
		return -1;
	if ((head[0] & 0xf) != WS_PONG)
		on_frame(server, fd, (enum ws_opcode)(head[0] & 0xf),
			 slice_make(ptr + head_len, payload_len));
	return (ssize_t)(head_len + payload_len);
}

/* As frame_cut(). Any path will do. */
static ssize_t opening_cut(struct server *server, int fd, const char *ptr, size_t len)
{
	struct http_request request;
	ssize_t n = http_parse_request(ptr, len, &request);
	struct buf answer = BUF_INIT;
	struct slice key;

	if (n <= 0)
		return n;
	if (ws_opening_check(&request, &key) != 0)
		return -1;
	ws_opening_accept(&answer, key);
	client_send(server, fd, buf_slice(&answer));
	buf_fini(&answer);
	server->clients[fd].is_open = true;
	return n;
}

/* Takes what is whole; the bytes used, -1: close. */
static ssize_t client_take(struct server *server, int fd, char *ptr, size_t len)
{
	size_t used = 0;
	ssize_t n;

	do {
		n = server->clients[fd].is_open
			    ? frame_cut(server, fd, ptr + used, len - used)
			    : opening_cut(server, fd, ptr + used, len - used);
		if (n < 0)
			return -1;
		used += (size_t)n;
	} while (n > 0 && used < len);
	return (ssize_t)used;
}

static void on_readable(struct server *server, int fd)
{
	struct buf *in = &server->clients[fd].in;
	ssize_t n = recv(fd, server->bytes, READ_BYTES, 0);
	ssize_t used;

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0 || in->len + (size_t)n > MESSAGE_BYTES_MAX) {
		client_close(server, fd);
		return;
	}
	if (in->len == 0) {
		used = client_take(server, fd, server->bytes, (size_t)n);
		if (used >= 0)
			buf_append(in, server->bytes + used, (size_t)(n - used));
	} else {
		buf_append(in, server->bytes, (size_t)n);
		used = client_take(server, fd, in->ptr, in->len);
		if (used > 0)
			buf_consume(in, (size_t)used);
	}
	if (used < 0) {
		client_close(server, fd);
	} else if (in->len == 0) {
		buf_fini(in); /* an idle client holds no memory */
	}
}

static void on_accept(struct server *server)
{
	int one = 1;
	int fd;

	for (int i = 0; i < ACCEPTS_MAX; i++) {
		fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		if (fd >= server->fds_n) {
			close(fd);
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		if (fd >= server->fds_end)
			server->fds_end = fd + 1;
		client_watch(server, fd, EPOLL_CTL_ADD, EPOLLIN);
	}
}

static void server_turn(struct server *server)
{
	struct epoll_event events[EVENTS_MAX];
	int n = epoll_wait(server->epoll, events, EVENTS_MAX, -1);

	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd;

		if (fd == server->listener) {
			on_accept(server);
			continue;
		}
		if (events[i].events & EPOLLOUT)
			on_writable(server, fd);
		if (events[i].events & ~(uint32_t)EPOLLOUT)
			on_readable(server, fd);
	}
	turn_end(server);
}

/* The listener is there when it returns, with its port in `*port`. */
static struct server *server_new(enum mode mode, uint16_t *port)
{
	struct server *server = MEM_NEW(struct server);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(*port) };
	socklen_t len = sizeof(address);
	struct rlimit limit;
	int one = 1;

	must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
	server->mode = mode;
	server->fds_n = limit.rlim_max < 1u << 20 ? (int)limit.rlim_max : 1 << 20;
	server->clients = mem_zalloc((size_t)server->fds_n * sizeof(*server->clients));
	server->epoll = epoll_create1(EPOLL_CLOEXEC);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(server->epoll >= 0 && server->listener >= 0, "socket");
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	must(bind(server->listener, (struct sockaddr *)&address, len) == 0, "bind");
	must(listen(server->listener, LISTEN_BACKLOG) == 0, "listen");
	must(getsockname(server->listener, (struct sockaddr *)&address, &len) == 0,
	     "getsockname");
	client_watch(server, server->listener, EPOLL_CTL_ADD, EPOLLIN);
	*port = ntohs(address.sin_port);
	return server;
}

_Noreturn static void server_run(struct server *server)
{
	for (;;)
		server_turn(server);
}

/* ---- the measurement: a server in a child, its receivers here */

#define RECEIVERS 1000
#define FRAME_BYTES 147u /* 100 bytes of payload in a SignalR invocation */
#define DELIVERIES 200000u
#define WINDOW 16u
#define ROUNDS 5
#define SECONDS_MAX 60

static int receiver_open(uint16_t port)
{
	static const char request[] =

		"GET / HTTP/1.1\r\nHost: floor\r\nUpgrade: websocket\r\nConnection: "
		"Upgrade\r\n"
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
		"dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	char bytes[256];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(fd >= 0, "socket");
	must(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
	must(send(fd, request, strlen(request), 0) > 0, "send");
	must(recv(fd, bytes, sizeof(bytes), 0) > 0, "recv"); /* less than a segment */
	return fd;
}

/* Messages of a zero mask, `n` of them in one write. */
static void publish(int fd, size_t n)
{
	char bytes[WINDOW * (FRAME_BYTES + 8)];
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		char *head = bytes + len;

		memset(head, 0, 8);
		head[0] = (char)(0x80 | WS_TEXT);
		head[1] = (char)(0x80 | 126);
		head[3] = (char)FRAME_BYTES;
		memset(head + 8, 'x', FRAME_BYTES);
		len += FRAME_BYTES + 8;
	}
	must(send(fd, bytes, len, 0) == (ssize_t)len, "publish");
}

/* Whole windows: each receiver gets all of one before the next is published. */
static void drive(const int *fds, size_t window)
{
	static char bytes[READ_BYTES];
	size_t frame = FRAME_BYTES + 4;

	for (size_t done = 0; done < DELIVERIES; done += window * RECEIVERS) {
		publish(fds[0], window);
		for (size_t i = 0; i < RECEIVERS; i++) {
			ssize_t n = recv(fds[i], bytes, window * frame, MSG_WAITALL);

			must(n == (ssize_t)(window * frame), "receive");
		}
	}
}

/* Microseconds of the server's CPU a delivery. */
static double measure(enum mode mode, size_t window)
{
	struct timespec before;
	struct timespec after;
	int fds[RECEIVERS];
	clockid_t clock;
	uint16_t port = 0;
	struct server *server = server_new(mode, &port);
	pid_t pid = fork();

	must(pid >= 0, "fork");
	if (pid == 0) {
		alarm(SECONDS_MAX);
		server_run(server);
	}
	close(server->listener);
	close(server->epoll);
	mem_free(server->clients);
	mem_free(server);
	must(clock_getcpuclockid(pid, &clock) == 0, "the child's clock");
	for (size_t i = 0; i < RECEIVERS; i++)
		fds[i] = receiver_open(port);
	drive(fds, window); /* warm */
	clock_gettime(clock, &before);
	drive(fds, window);
	clock_gettime(clock, &after);
	for (size_t i = 0; i < RECEIVERS; i++)
		close(fds[i]);
	must(kill(pid, SIGTERM) == 0 && waitpid(pid, NULL, 0) == pid, "end the child");
	return ((double)(after.tv_sec - before.tv_sec) * 1e6 +
		(double)(after.tv_nsec - before.tv_nsec) / 1e3) /
	       DELIVERIES;
}

static int compare(const void *a, const void *b)
{
	const double *x = a;
	const double *y = b;

	return (*x > *y) - (*x < *y);
}

static void report(void)
{
	static const struct {
		const char *name;
		enum mode mode;
		size_t window;
	} runs[] = {
		{ "unbatched, 1 in flight", UNBATCHED, 1 },
		{ "unbatched, 16 in flight", UNBATCHED, WINDOW },
		{ "batched, 16 in flight", BATCHED, WINDOW },
	};
	double us[sizeof(runs) / sizeof(runs[0])][ROUNDS];

	for (size_t round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
			us[i][round] = measure(runs[i].mode, runs[i].window);
	}
	printf("us of the server's CPU a delivery, %d receivers, medians of %d "
	       "(min..max)\n",
	       RECEIVERS, ROUNDS);
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		qsort(us[i], ROUNDS, sizeof(double), compare);
		printf("%-24s %6.2f (%.2f..%.2f)\n", runs[i].name, us[i][ROUNDS / 2],
		       us[i][0], us[i][ROUNDS - 1]);
	}
}

int main(int argc, char **argv)
{
	enum mode mode = UNBATCHED;
	bool is_server = false;
	uint16_t port = 0;

	for (int i = 1; i < argc; i++) {
		int64_t value = 0;

		if (strcmp(argv[i], "--serve=unbatched") == 0 ||
		    strcmp(argv[i], "--serve=batched") == 0) {
			is_server = true;
			mode = argv[i][8] == 'b' ? BATCHED : UNBATCHED;
		} else if (strncmp(argv[i], "--port=", 7) == 0 &&
			   slice_to_int64(slice_from_str(argv[i] + 7), &value) == OK &&
			   value >= 0 && value <= UINT16_MAX) {
			port = (uint16_t)value;
		} else {
			fprintf(stderr,
				"floor: %s: [--serve=unbatched|batched [--port=N]]\n",
				argv[i]);
			return 1;
		}
	}
	if (is_server) {
		struct server *server = server_new(mode, &port);

		printf("listening %u\n", port);
		fflush(stdout);
		server_run(server);
	}
	report();
	return 0;
}
