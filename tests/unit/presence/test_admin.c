/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin API over real sockets: routes, errors, the token, and a store that answers
 * later or not at all.
 */
#include "presence/admin.h"

#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/presence/admin_kit.h"

static struct admin_kit kit;

static void setup(void)
{
	admin_kit_init(&kit);
}

static void teardown(void)
{
	admin_kit_fini(&kit);
}

TestSuite(admin, .init = setup, .fini = teardown, .timeout = 60);

static void expect_status(const char *target, int status)
{
	cr_expect_eq(admin_kit_get(&kit, target), status, "%s: %s", target,
		     kit.client.in.ptr);
	if (status != 200)
		cr_expect(admin_kit_has(&kit, "application/problem+json"));
}

static void add(struct slice connection, struct slice user)
{
	admin_kit_add(&kit, "g1", connection, user);
}

/* ---- routes */

Test(admin, stats_tell_numbers)
{
	add(SLICE("c1"), SLICE("ann"));
	add(SLICE("c2"), SLICE(""));
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_GATEWAY, "g1", NULL);
	expect_status("/api/v1/stats", 200);
	cr_expect(admin_kit_has(&kit, "Content-Type: application/json\r\n"));
	cr_expect(admin_kit_has(&kit, "Cache-Control: no-store\r\n"));
	cr_expect(admin_kit_has(&kit, "{\"users\":1,\"connections\":2,\"gateways\":1,"
				      "\"routers\":0,"));
	cr_expect(admin_kit_has(&kit, "\"isSettled\":false}"));
}

Test(admin, users_come_in_pages)
{
	char target[128];

	add(SLICE("c1"), SLICE("ann"));
	add(SLICE("c2"), SLICE("ben"));
	add(SLICE("c3"), SLICE("cid"));
	add(SLICE("c4"), SLICE("dan"));
	expect_status("/api/v1/users", 200);
	cr_expect_eq(http_client_count(&kit.client, "userId"), 3);
	cr_expect(admin_kit_has(&kit, "],\"total\":4,\"next\":\""));
	(void)snprintf(target, sizeof(target), "/api/v1/users?limit=1&cursor=%.64s",
		       admin_kit_next(&kit).ptr);
	*strchr(target, '"') = '\0';
	expect_status(target, 200);
	cr_expect(admin_kit_has(&kit, "\"userId\":\"dan\""));
	cr_expect_not(admin_kit_has(&kit, "next"));
	cr_expect_not(admin_kit_has(&kit, "ann"));
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
	cr_expect(admin_kit_has(&kit, "\"userId\":\"a b/\xc3\xbc+%\""));
	cr_expect(admin_kit_has(&kit, "\"connectionId\":\"c1\""));
}

Test(admin, a_user_tells_at_most_page_max_connections)
{
	add(SLICE("c1"), SLICE("ann"));
	add(SLICE("c2"), SLICE("ann"));
	add(SLICE("c3"), SLICE("ann"));
	add(SLICE("c4"), SLICE("ann"));
	expect_status("/api/v1/users/ann", 200);
	cr_expect_eq(http_client_count(&kit.client, "connectionId"), 3);
	cr_expect(admin_kit_has(&kit, "\"connectionCount\":4"));
}

Test(admin, a_connection_is_found)
{
	add(SLICE("c/1"), SLICE("ann"));
	expect_status("/api/v1/connections/c%2f1", 200);
	cr_expect(admin_kit_has(&kit, "\"connectionId\":\"c/1\",\"hub\":\"chat\""));
	cr_expect(admin_kit_has(&kit, "\"userId\":\"ann\""));
}

Test(admin, processes_are_told)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", NULL);
	expect_status("/api/v1/processes", 200);
	cr_expect(admin_kit_has(&kit, "\"name\":\"r1\",\"incarnation\":"
				      "\"0000000000000001\""));
}

Test(admin, what_is_not_there_is_404)
{
	expect_status("/api/v1/users/ann", 404);
	cr_expect(admin_kit_has(&kit, "\"type\":\"urn:heliograph:problem:not-here\""));
	expect_status("/api/v1/connections/c1", 404);
	expect_status("/api/v1/users/", 404);
	expect_status("/api/v1/connections", 404);
	expect_status("/api/v1/users/a/b", 404);
	expect_status("/api/v1/statsx", 404);
	expect_status("/api/v2/stats", 404);
	expect_status("/index.html", 404);
}

Test(admin, an_id_that_is_not_well_encoded_is_400)
{
	expect_status("/api/v1/users/%", 400);
	expect_status("/api/v1/users/%00", 400);
	expect_status("/api/v1/connections/%g0", 400);
}

Test(admin, other_methods_are_405_and_head_is_get)
{
	admin_kit_say(&kit, "POST", "/api/v1/stats", "Content-Length: 0\r\n", NULL);
	(void)admin_kit_wait(&kit);
	cr_expect(admin_kit_has(&kit, "HTTP/1.1 405 "));
	cr_expect(admin_kit_has(&kit, "Allow: GET, HEAD\r\n"));
	admin_kit_say(&kit, "POST", "/api/v1/connections/c1", "Content-Length: 0\r\n",
		      NULL);
	(void)admin_kit_wait(&kit);
	cr_expect(admin_kit_has(&kit, "HTTP/1.1 405 "));
	cr_expect(admin_kit_has(&kit, "Allow: GET, HEAD, DELETE\r\n"));
	admin_kit_say(&kit, "DELETE", "/api/v1/users/ann", "", NULL);
	(void)admin_kit_wait(&kit);
	cr_expect(admin_kit_has(&kit, "HTTP/1.1 405 "));
	admin_kit_say(&kit, "HEAD", "/api/v1/stats", "", NULL);
	(void)admin_kit_wait(&kit);
	cr_expect(admin_kit_has(&kit, "HTTP/1.1 200 "));
	cr_expect_not(admin_kit_has(&kit, "users"));
}

Test(admin, metrics_are_counted_up_to_date)
{
	add(SLICE("c1"), SLICE("ann"));
	(void)admin_kit_get(&kit, "/metrics");
	cr_expect(admin_kit_has(&kit, "\npresence_users 1\n"));
	cr_expect(admin_kit_has(&kit, "\npresence_connections 1\n"));
}

Test(admin, it_may_listen_nowhere)
{
	char none[] = "";

	kit.conf.admin_listen = none;
	kit.presence.admin = admin_open(&kit.presence);
	cr_expect_str_eq(admin_address(kit.presence.admin), "-");
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

	kit.conf.admin_listen = beyond;
	kit.presence.admin = admin_open(&kit.presence);
}

static void expect_with(const char *authorization, const char *status)
{
	admin_kit_say(&kit, "GET", "/api/v1/stats", authorization, NULL);
	(void)admin_kit_wait(&kit);
	cr_expect(admin_kit_has(&kit, status), "%s: %s", authorization,
		  kit.client.in.ptr);
}

Test(admin, the_token_is_asked_for)
{
	admin_kit_use_tokens(&kit, ADMIN_KIT_TOKEN "\n");
	expect_with("", "HTTP/1.1 401 ");
	cr_expect(
		admin_kit_has(&kit, "WWW-Authenticate: Bearer realm=\"heliograph\"\r\n"));
	expect_with("Authorization: Bearer " ADMIN_KIT_TOKEN "\r\n", "HTTP/1.1 200 ");
	expect_with("authorization: bearer  " ADMIN_KIT_TOKEN "\r\n", "HTTP/1.1 200 ");
	expect_with("Authorization: Bearer " ADMIN_KIT_TOKEN "0\r\n", "HTTP/1.1 401 ");
	expect_with("Authorization: Bearer\r\n", "HTTP/1.1 401 ");
	expect_with("Authorization: " ADMIN_KIT_TOKEN "\r\n", "HTTP/1.1 401 ");
	expect_with("Authorization: Basic " ADMIN_KIT_TOKEN "\r\n", "HTTP/1.1 401 ");
	cr_expect_eq(kit.presence.metrics.admin_denied_total, 5);
}

Test(admin, without_the_token_nothing_is_told_of_paths_but_probes_work)
{
	admin_kit_use_tokens(&kit, ADMIN_KIT_TOKEN "\n");
	expect_status("/api/v1/nothing", 401);
	cr_expect_eq(admin_kit_get(&kit, "/healthz"), 200);
	cr_expect_eq(admin_kit_get(&kit, "/metrics"), 200);
}

Test(admin, with_a_token_it_may_listen_beyond_loopback)
{
	char beyond[] = "0.0.0.0:0";

	kit.conf.admin_listen = beyond;
	admin_kit_use_tokens(&kit, ADMIN_KIT_TOKEN "\n");
	expect_status("/api/v1/stats", 401);
}

/* ---- a store that takes its time */

static struct store_call *held;

static void slow_count(struct store *store, struct store_call *call)
{
	cr_assert_eq(store, kit.presence.store);
	held = call;
}

/* Asks, and turns until the store was asked. All else it answers as ever: timers ask,
 * too. */
static void ask_slow(const char *target)
{
	struct store *store = kit.presence.store;
	const struct store_ops *usual = store->ops;
	struct store_ops ops = *usual;

	ops.count = slow_count;
	store->ops = &ops;
	admin_kit_say(&kit, "GET", target, "", NULL);
	while (held == NULL)
		http_client_turn(&kit.http, &kit.client);
	store->ops = usual;
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
	ask_slow("/api/v1/stats");
	cr_expect_eq(kit.client.in.len, 0);
	answer_held(OK);
	(void)admin_kit_wait(&kit);
	cr_expect(admin_kit_has(&kit, "{\"users\":9,"));
}

Test(admin, a_store_that_fails_is_503)
{
	ask_slow("/api/v1/users");
	answer_held(ERR_TIMEOUT);
	cr_expect_eq(admin_kit_wait(&kit), 503);
	cr_expect(admin_kit_is_problem(&kit, "store-away"));
	cr_expect(admin_kit_has(&kit, "\r\nRetry-After: 1\r\n"));
	cr_expect(admin_kit_has(&kit,
				"\"instance\":\"/api/v1/users\",\"staleSeconds\":0}"));
}

Test(admin, stats_of_a_store_that_is_away_are_the_last_ones)
{
	ask_slow("/api/v1/stats");
	answer_held(OK);
	(void)admin_kit_wait(&kit);
	ask_slow("/api/v1/stats");
	answer_held(ERR_IO);
	cr_expect_eq(admin_kit_wait(&kit), 200);
	cr_expect(admin_kit_has(&kit, "{\"users\":9,"));
}

Test(admin, a_client_that_leaves_is_not_answered)
{
	ask_slow("/api/v1/users");
	http_client_close(&kit.client);
	for (int i = 0; i < 5; i++)
		loop_turn(kit.http.loop, 2);
	answer_held(OK);
}

Test(admin, an_answer_for_nobody_is_dropped)
{
	ask_slow("/api/v1/stats");
	admin_close(kit.presence.admin);
	kit.presence.admin = NULL;
	answer_held(ERR_CLOSED);
}
