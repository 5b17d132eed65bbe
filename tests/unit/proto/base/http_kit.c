/* SPDX-License-Identifier: Apache-2.0 */
/* The server and the clients of http_kit.h. */
#include "tests/unit/proto/base/http_kit.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/mem.h"

#define TURN_MS 2

static int64_t now_ms(void)
{
	struct timespec ts;

	cr_assert_eq(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- server */

static void answer_big(struct http_conn *conn)
{
	struct http_response response = { .status = 200 };
	char *body = mem_zalloc(HTTP_KIT_BIG);

	response.body = slice_make(body, HTTP_KIT_BIG);
	http_respond(conn, &response);
	mem_free(body);
}

static void answer(struct http_conn *conn, const struct http_request *request)
{
	struct http_response response = {
		.status = 200,
		.content_type = "text/plain",
		.body = SLICE("hello"),
		.headers = SLICE("X-Extra: 1\r\n"),
	};

	if (slice_equal(request->path, SLICE("/echo")))
		response.body = request->body;
	response.is_last = slice_equal(request->path, SLICE("/last"));
	if (slice_equal(request->path, SLICE("/status/204")))
		response.status = 204;
	if (slice_equal(request->path, SLICE("/status/304")))
		response.status = 304;
	http_respond(conn, &response);
}

static void on_request(struct http_server *server, struct http_conn *conn,
		       const struct http_request *request)
{
	struct http_kit *kit = http_server_owner(server);

	if (slice_equal(request->path, SLICE("/later"))) {
		cr_assert_null(kit->later);
		http_conn_set_owner(conn, kit);
		kit->later = conn;
		kit->later_n++;
	} else if (slice_equal(request->path, SLICE("/take"))) {
		http_take_over(conn, &kit->sock, NULL, &kit->rest);
		kit->taken = sock_fd(&kit->sock);
		/* The request is still whole, though the connection is gone. */
		cr_expect(slice_equal(request->target, SLICE("/take")));
	} else if (slice_equal(request->path, SLICE("/big"))) {
		answer_big(conn);
	} else {
		answer(conn, request);
	}
}

static void on_gone(struct http_conn *conn)
{
	struct http_kit *kit = http_conn_owner(conn);

	cr_assert_eq(kit->later, conn);
	cr_expect_eq(http_conn_server(conn), kit->server);
	kit->later = NULL;
	kit->gone_n++;
}

void http_kit_init(struct http_kit *kit)
{
	*kit = (struct http_kit){ .loop = loop_new(), .taken = -1 };
	kit->options = (struct http_options){
		.address = "127.0.0.1:0",
		.connections_max = 100,
		.body_bytes_max = 65536,
		.head_timeout_ms = 60000,
		.body_timeout_ms = 60000,
		.write_timeout_ms = 60000,
		.idle_timeout_ms = 60000,
		.on_request = on_request,
		.on_gone = on_gone,
		.owner = kit,
		.stats = &kit->stats,
	};
}

void http_kit_open(struct http_kit *kit)
{
	cr_assert_eq(http_server_open(kit->loop, &kit->options, &kit->server), OK);
}

void http_kit_fini(struct http_kit *kit)
{
	http_server_close(kit->server);
	if (kit->taken >= 0)
		sock_fini(&kit->sock);
	loop_free(kit->loop);
	buf_fini(&kit->rest);
}

/* ---- clients */

void http_client_open(struct http_kit *kit, struct http_client *client)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	*client = (struct http_client){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
	cr_assert(client->fd >= 0);
	address.sin_port = htons(http_server_port(kit->server));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(connect(client->fd, (struct sockaddr *)&address, sizeof(address)),
		     0);
}

void http_client_close(struct http_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	buf_fini(&client->in);
}

void http_client_send(struct http_client *client, const char *bytes, size_t len)
{
	ssize_t n = send(client->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	cr_assert_eq(n, (ssize_t)len);
}

void http_client_say(struct http_client *client, const char *text)
{
	http_client_send(client, text, strlen(text));
}

static void client_read(struct http_client *client)
{
	ssize_t n = 1;

	while (n > 0 && !client->is_closed) {
		char *room = buf_reserve(&client->in, 65536);

		n = recv(client->fd, room, 65535, MSG_DONTWAIT);
		if (n > 0)
			client->in.len += (size_t)n;
		client->in.ptr[client->in.len] = '\0';
		if (n < 0 && errno != EAGAIN)
			client->error = errno;
		client->is_closed = n == 0 || client->error != 0;
	}
}

void http_client_turn(struct http_kit *kit, struct http_client *client)
{
	loop_turn(kit->loop, TURN_MS);
	client_read(client);
}

int http_client_count(const struct http_client *client, const char *text)
{
	const char *at = client->in.ptr;
	int n = 0;

	while (at && (at = strstr(at, text))) {
		at += strlen(text);
		n++;
	}
	return n;
}

bool http_client_has(const struct http_client *client, const char *text)
{
	return http_client_count(client, text) > 0;
}

void http_client_wait(struct http_kit *kit, struct http_client *client, const char *text,
		      int n)
{
	int64_t end_ms = now_ms() + HTTP_KIT_WAIT_MS;

	while (http_client_count(client, text) < n) {
		cr_assert(now_ms() < end_ms, "no '%s' in: %s", text, client->in.ptr);
		cr_assert_not(client->is_closed, "ended without '%s': %s", text,
			      client->in.ptr);
		http_client_turn(kit, client);
	}
	cr_expect_eq(http_client_count(client, text), n);
}

void http_client_wait_len(struct http_kit *kit, struct http_client *client, size_t len)
{
	int64_t end_ms = now_ms() + HTTP_KIT_WAIT_MS;

	while (client->in.len < len) {
		cr_assert(now_ms() < end_ms, "%zu of %zu came", client->in.len, len);
		http_client_turn(kit, client);
	}
}

void http_client_wait_end(struct http_kit *kit, struct http_client *client)
{
	int64_t end_ms = now_ms() + HTTP_KIT_WAIT_MS;

	while (!client->is_closed) {
		cr_assert(now_ms() < end_ms, "still open: %s", client->in.ptr);
		http_client_turn(kit, client);
	}
}

void http_kit_wait_int(struct http_kit *kit, const int *counter, int expected)
{
	int64_t end_ms = now_ms() + HTTP_KIT_WAIT_MS;

	while (*counter != expected) {
		cr_assert(now_ms() < end_ms, "%d, not %d", *counter, expected);
		loop_turn(kit->loop, TURN_MS);
	}
}

void http_kit_wait_uint64(struct http_kit *kit, const uint64_t *counter,
			  uint64_t expected)
{
	int64_t end_ms = now_ms() + HTTP_KIT_WAIT_MS;

	while (*counter != expected) {
		cr_assert(now_ms() < end_ms, "the counter never came to its value");
		loop_turn(kit->loop, TURN_MS);
	}
}

void http_kit_wait_open(struct http_kit *kit, int64_t expected)
{
	int64_t end_ms = now_ms() + HTTP_KIT_WAIT_MS;

	while (kit->stats.open != expected) {
		cr_assert(now_ms() < end_ms, "connections stay open");
		loop_turn(kit->loop, TURN_MS);
	}
}
