/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin API over real sockets: routes, errors, the token, and a store that answers
 * later or not at all.
 */
#include "presence/admin.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "presence/presence.h"
#include "tests/unit/proto/base/http_kit.h"

#define TOKEN "0123456789abcdef0123456789abcdef"

static char address[] = "127.0.0.1:0";
static char none[] = "";
static char token_path[] = "/tmp/heliograph-token-XXXXXX";
static struct presence_conf conf;
static struct presence presence;
static struct http_kit http; /* for its clients: the server is not the kit's */
static struct http_client client;

static void setup(void)
{
	http.loop = loop_new();
	conf = (struct presence_conf){ .admin_listen = address,
				       .admin_token_file = none,
				       .page_max = 3 };
	presence = (struct presence){ .loop = http.loop, .conf = &conf };
	presence.store = store_memory_new(100, 0, 1);
	presence.started_ms = loop_now_ms(http.loop);
	processes_init(&presence.processes, &presence);
	topology_init(&presence.topology, &presence, 60000);
	client.fd = -1;
}

static void teardown(void)
{
	http_client_close(&client);
	admin_close(presence.admin);
	topology_fini(&presence.topology);
	processes_fini(&presence.processes);
	presence.store->ops->free(presence.store);
	loop_free(http.loop);
}

TestSuite(admin, .init = setup, .fini = teardown);

static void client_open(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	const char *port;

	if (presence.admin == NULL)
		presence.admin = admin_open(&presence);
	port = strrchr(admin_address(presence.admin), ':') + 1;
	http_client_close(&client);
	client = (struct http_client){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
	in.sin_port = htons((uint16_t)atoi(port));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(connect(client.fd, (struct sockaddr *)&in, sizeof(in)), 0);
}

static void say(const char *method, const char *target, const char *headers)
{
	char text[1024];

	client_open();
	(void)snprintf(text, sizeof(text),
		       "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n%s\r\n", method,
		       target, headers);
	http_client_say(&client, text);
}

/* The whole answer. */
static const char *get(const char *target)
{
	say("GET", target, "");
	http_client_wait_end(&http, &client);
	return client.in.ptr;
}

static void expect_status(const char *target, int status)
{
	char line[32];

	(void)snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	cr_expect_eq(strncmp(get(target), line, strlen(line)), 0, "%s: %s", target,
		     client.in.ptr);
	if (status != 200)
		cr_expect(http_client_has(&client, "application/problem+json"));
}

static void on_added(struct store_call *call, const struct store_answer *answer)
{
	cr_assert_eq(answer->rc, OK);
	(void)call;
}

static void add(struct slice connection, struct slice user)
{
	const struct session_info info = { .hub = SLICE("chat"),
					   .connection = connection,
					   .user_id = user,
					   .gateway = { SLICE("g1"), 1 } };
	struct store_call call;

	store_call_init(&call, on_added);
	presence.store->ops->add(presence.store, &info, &call);
}

/* ---- routes */

Test(admin, stats_tell_numbers)
{
	struct lease lease;

	add(SLICE("c1"), SLICE("ann"));
	add(SLICE("c2"), SLICE(""));
	lease_init(&lease, LINK__ROLE__ROLE_GATEWAY, SLICE("g1"), 1);
	leases_add(&presence.processes.leases, &lease, 1000, 0);
	expect_status("/api/v1/stats", 200);
	cr_expect(http_client_has(&client, "Content-Type: application/json\r\n"));
	cr_expect(http_client_has(&client, "Cache-Control: no-store\r\n"));
	cr_expect(http_client_has(&client,
				  "{\"users\":1,\"connections\":2,\"gateways\":1,"
				  "\"routers\":0,\"uptimeMs\":"));
	cr_expect(http_client_has(&client, "\"isSettled\":false}"));
	leases_remove(&presence.processes.leases, &lease);
}

Test(admin, users_come_in_pages)
{
	add(SLICE("c1"), SLICE("ann"));
	add(SLICE("c2"), SLICE("ben"));
	add(SLICE("c3"), SLICE("cid"));
	add(SLICE("c4"), SLICE("dan"));
	expect_status("/api/v1/users", 200);
	cr_expect_eq(http_client_count(&client, "userId"), 3);
	cr_expect(http_client_has(&client, "\"next\":\"3\""));
	expect_status("/api/v1/users?cursor=3&limit=1", 200);
	cr_expect(http_client_has(&client, "\"userId\":\"dan\""));
	cr_expect_not(http_client_has(&client, "next"));
	cr_expect_not(http_client_has(&client, "ann"));
}

Test(admin, limit_and_cursor_are_checked)
{
	expect_status("/api/v1/users?limit=1", 200);
	expect_status("/api/v1/users?limit=3", 200);
	expect_status("/api/v1/users?limit=4", 400);
	expect_status("/api/v1/users?limit=0", 400);
	expect_status("/api/v1/users?limit=-1", 400);
	expect_status("/api/v1/users?limit=x", 400);
	expect_status("/api/v1/users?limit=", 400);
	expect_status("/api/v1/users?limit=%zz", 400);
	expect_status("/api/v1/users?cursor=x", 400);
	expect_status("/api/v1/users?cursor=%00", 400);
	expect_status("/api/v1/users?cursor=", 200);
}

Test(admin, a_user_is_found_by_an_encoded_id)
{
	add(SLICE("c1"), SLICE("a b/\xc3\xbc+%"));
	expect_status("/api/v1/users/a%20b%2F%C3%BC+%25", 200);
	cr_expect(http_client_has(&client, "\"userId\":\"a b/\xc3\xbc+%\""));
	cr_expect(http_client_has(&client, "\"connectionId\":\"c1\""));
}

Test(admin, a_user_tells_at_most_page_max_connections)
{
	add(SLICE("c1"), SLICE("ann"));
	add(SLICE("c2"), SLICE("ann"));
	add(SLICE("c3"), SLICE("ann"));
	add(SLICE("c4"), SLICE("ann"));
	expect_status("/api/v1/users/ann", 200);
	cr_expect_eq(http_client_count(&client, "connectionId"), 3);
	cr_expect(http_client_has(&client, "\"connectionCount\":4"));
}

Test(admin, a_connection_is_found)
{
	add(SLICE("c/1"), SLICE("ann"));
	expect_status("/api/v1/connections/c%2f1", 200);
	cr_expect(http_client_has(&client, "\"connectionId\":\"c/1\",\"hub\":\"chat\""));
	cr_expect(http_client_has(&client, "\"userId\":\"ann\""));
}

Test(admin, processes_are_told)
{
	struct lease lease;

	lease_init(&lease, LINK__ROLE__ROLE_ROUTER, SLICE("r1"), 0xab);
	leases_add(&presence.processes.leases, &lease, 1000, 0);
	expect_status("/api/v1/processes", 200);
	cr_expect(http_client_has(&client, "\"name\":\"r1\",\"incarnation\":"
					   "\"00000000000000ab\""));
	leases_remove(&presence.processes.leases, &lease);
}

Test(admin, what_is_not_there_is_404)
{
	expect_status("/api/v1/users/ann", 404);
	cr_expect(http_client_has(&client, "\"title\":\"Not Found\",\"status\":404"));
	expect_status("/api/v1/connections/c1", 404);
	expect_status("/api/v1/users/", 404);
	expect_status("/api/v1/connections", 404);
	expect_status("/api/v1/users/a/b", 404);
	expect_status("/api/v1/statsx", 404);
	expect_status("/api/v2/stats", 404);
	expect_status("/", 404);
}

Test(admin, an_id_that_is_not_well_encoded_is_400)
{
	expect_status("/api/v1/users/%", 400);
	expect_status("/api/v1/users/%00", 400);
	expect_status("/api/v1/connections/%g0", 400);
}

Test(admin, other_methods_are_405_and_head_is_get)
{
	say("POST", "/api/v1/stats", "Content-Length: 0\r\n");
	http_client_wait_end(&http, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 405 "));
	cr_expect(http_client_has(&client, "Allow: GET, HEAD\r\n"));
	say("DELETE", "/api/v1/users/ann", "");
	http_client_wait_end(&http, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 405 "));
	say("HEAD", "/api/v1/stats", "");
	http_client_wait_end(&http, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 200 "));
	cr_expect_not(http_client_has(&client, "users"));
}

Test(admin, metrics_are_counted_up_to_date)
{
	add(SLICE("c1"), SLICE("ann"));
	(void)get("/metrics");
	cr_expect(http_client_has(&client, "\npresence_users 1\n"));
	cr_expect(http_client_has(&client, "\npresence_connections 1\n"));
}

Test(admin, it_may_listen_nowhere)
{
	conf.admin_listen = none;
	presence.admin = admin_open(&presence);
	cr_expect_str_eq(admin_address(presence.admin), "-");
}

/* ---- the token */

Test(admin, loopback_is_told_from_beyond)
{
	cr_expect(admin_is_loopback("127.0.0.1:8090"));
	cr_expect(admin_is_loopback("127.9.9.9:0"));
	cr_expect(admin_is_loopback("localhost:8090"));
	cr_expect(admin_is_loopback("[::1]:8090"));
	cr_expect_not(admin_is_loopback("0.0.0.0:8090"));
	cr_expect_not(admin_is_loopback("128.0.0.1:8090"));
	cr_expect_not(admin_is_loopback("[::]:8090"));
	cr_expect_not(admin_is_loopback("localhost.example:8090"));
	cr_expect_not(admin_is_loopback("127.0.0.1.example.org:8090"));
	cr_expect_not(admin_is_loopback("127.0.0.1"));
	cr_expect_not(admin_is_loopback(":8090"));
	cr_expect_not(admin_is_loopback(""));
}

Test(admin, beyond_loopback_it_does_not_start_without_a_token, .exit_code = 1)
{
	char beyond[] = "0.0.0.0:0";

	conf.admin_listen = beyond;
	presence.admin = admin_open(&presence);
}

static void use_token(void)
{
	int fd = mkstemp(token_path);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, TOKEN "\n", strlen(TOKEN) + 1),
		     (ssize_t)strlen(TOKEN) + 1);
	close(fd);
	conf.admin_token_file = token_path;
	presence.admin = admin_open(&presence);
	unlink(token_path);
}

static void expect_with(const char *authorization, const char *status)
{
	say("GET", "/api/v1/stats", authorization);
	http_client_wait_end(&http, &client);
	cr_expect(http_client_has(&client, status), "%s: %s", authorization,
		  client.in.ptr);
}

Test(admin, the_token_is_asked_for)
{
	use_token();
	expect_with("", "HTTP/1.1 401 ");
	cr_expect(http_client_has(&client, "WWW-Authenticate: Bearer\r\n"));
	expect_with("Authorization: Bearer " TOKEN "\r\n", "HTTP/1.1 200 ");
	expect_with("authorization: bearer  " TOKEN "\r\n", "HTTP/1.1 200 ");
	expect_with("Authorization: Bearer " TOKEN "0\r\n", "HTTP/1.1 401 ");
	expect_with("Authorization: Bearer\r\n", "HTTP/1.1 401 ");
	expect_with("Authorization: " TOKEN "\r\n", "HTTP/1.1 401 ");
	expect_with("Authorization: Basic " TOKEN "\r\n", "HTTP/1.1 401 ");
	cr_expect_eq(presence.metrics.admin_denied_total, 5);
}

Test(admin, without_the_token_nothing_is_told_of_paths_but_probes_work)
{
	use_token();
	expect_status("/api/v1/nothing", 401);
	cr_expect_eq(strncmp(get("/healthz"), "HTTP/1.1 200 ", 13), 0);
	cr_expect_eq(strncmp(get("/metrics"), "HTTP/1.1 200 ", 13), 0);
}

Test(admin, with_a_token_it_may_listen_beyond_loopback)
{
	char beyond[] = "0.0.0.0:0";

	conf.admin_listen = beyond;
	use_token();
	expect_status("/api/v1/stats", 401);
}

/* ---- a store that takes its time */

static struct store_call *held;
static struct store slow;

static void slow_count(struct store *store, struct store_call *call)
{
	cr_assert_eq(store, &slow);
	held = call;
}

static void use_slow_store(void)
{
	static struct store_ops ops;

	ops = *presence.store->ops;
	ops.count = slow_count;
	slow.ops = &ops;
}

/* Asks for the stats and turns until the store was asked. */
static void ask_slow(struct store *memory)
{
	use_slow_store();
	presence.store = &slow;
	say("GET", "/api/v1/stats", "");
	while (held == NULL)
		http_client_turn(&http, &client);
	presence.store = memory;
}

static void answer_held(enum err rc)
{
	const struct store_answer answer = { .rc = rc, .users_n = 9 };
	struct store_call *call = held;

	held = NULL;
	call->done(call, &answer);
}

Test(admin, an_answer_may_come_later)
{
	ask_slow(presence.store);
	cr_expect_eq(client.in.len, 0);
	answer_held(OK);
	http_client_wait_end(&http, &client);
	cr_expect(http_client_has(&client, "{\"users\":9,"));
}

Test(admin, a_store_that_fails_is_503)
{
	ask_slow(presence.store);
	answer_held(ERR_TIMEOUT);
	http_client_wait_end(&http, &client);
	cr_expect(http_client_has(&client, "HTTP/1.1 503 "));
	cr_expect(http_client_has(&client, "\"status\":503"));
}

Test(admin, an_answer_for_nobody_is_dropped)
{
	ask_slow(presence.store);
	admin_close(presence.admin);
	presence.admin = NULL;
	answer_held(ERR_CLOSED);
}
