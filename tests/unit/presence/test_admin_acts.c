/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the API has routers and gateways do, and what it says when they cannot.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "proto/base/mem.h"
#include "tests/unit/presence/admin_kit.h"

#define GROUP "/api/v1/hubs/chat/groups/red"
#define SEND "{\"target\":\"notice\",\"arguments\":[1,  {\"a\":2}],\"excluded\":[\"c9\"]}"

static struct admin_kit kit;
static char asked[65536]; /* what peers were asked, a line each */
static size_t asked_len;
static int32_t says; /* rc of every answer */

static void setup(void)
{
	admin_kit_init(&kit);
	kit.conf.admin_body_max = 1 << 20;
	kit.conf.page_max = 1000;
	says = OK;
	asked[0] = '\0';
	asked_len = 0;
}

static void teardown(void)
{
	admin_kit_fini(&kit);
}

TestSuite(admin_acts, .init = setup, .fini = teardown, .timeout = 60);

static bool on_command(struct kit_peer *peer, const Link__Command *command,
		       Link__CommandDone *done)
{
	const struct slice hub = link_slice(command->hub);
	const struct slice name = link_slice(command->name);
	const struct slice connection = link_slice(command->connection);
	const struct slice text = link_slice(command->text);

	(void)peer;
	done->rc = says;
	asked_len +=
		(size_t)snprintf(asked + asked_len, sizeof(asked) - asked_len,
				 "%d hub=%.*s name=%.*s connection=%.*s text=%.*s%s\n",
				 (int)command->command, SLICE_FMT(hub), SLICE_FMT(name),
				 SLICE_FMT(connection), SLICE_FMT(text),
				 command->allow_reconnect ? " again" : "");
	return true;
}

static bool on_command_silent(struct kit_peer *peer, const Link__Command *command,
			      Link__CommandDone *done)
{
	(void)on_command(peer, command, done);
	return false;
}

static int asked_n(void)
{
	int n = 0;

	for (const char *at = asked; (at = strchr(at, '\n')) != NULL; at++)
		n++;
	return n;
}

static void expect_problem(const char *method, const char *target, const char *body,
			   int status, const char *name)
{
	cr_expect_eq(admin_kit_ask(&kit, method, target, body), status, "%s %s: %s",
		     method, target, kit.client.in.ptr);
	cr_expect(admin_kit_is_problem(&kit, name), "%s", kit.client.in.ptr);
}

/* ---- sends */

static bool on_send(struct kit_peer *peer, const Link__Command *command,
		    Link__CommandDone *done)
{
	cr_expect_eq(command->kind, LINK__KIND__KIND_GROUP);
	cr_expect(slice_equal(link_slice(command->target), SLICE("notice")));
	cr_expect(slice_equal(link_slice(command->arguments), SLICE("[1,  {\"a\":2}]")));
	cr_assert_eq(command->n_excluded, 1);
	cr_expect(slice_equal(link_slice(command->excluded[0]), SLICE("c9")));
	return on_command(peer, command, done);
}

Test(admin_acts, a_send_travels_as_it_came)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_send);
	cr_expect_eq(admin_kit_ask(&kit, "POST", GROUP "/send", SEND), 202);
	cr_expect(admin_kit_has(&kit, "\r\n\r\n{\"delivered\":true}"));
	cr_expect_str_eq(asked, "5 hub=chat name=red connection= text=\n");
	cr_expect_eq(kit.presence.metrics.admin_acts_total, 1);
}

static Link__Kind kind;

static bool on_kind(struct kit_peer *peer, const Link__Command *command,
		    Link__CommandDone *done)
{
	kind = command->kind;
	return on_command(peer, command, done);
}

static void expect_kind(const char *target, Link__Kind expected, const char *line)
{
	asked_len = 0;
	cr_expect_eq(admin_kit_ask(&kit, "POST", target, SEND), 202, "%s", target);
	cr_expect_eq(kind, expected);
	cr_expect_str_eq(asked, line);
}

Test(admin_acts, a_send_has_four_kinds)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_kind);
	expect_kind("/api/v1/hubs/chat/send", LINK__KIND__KIND_ALL,
		    "5 hub=chat name= connection= text=\n");
	expect_kind("/api/v1/hubs/chat/users/a%2Fb/send", LINK__KIND__KIND_USER,
		    "5 hub=chat name=a/b connection= text=\n");
	expect_kind("/api/v1/hubs/chat/connections/c1/send", LINK__KIND__KIND_CONNECTION,
		    "5 hub=chat name=c1 connection= text=\n");
	expect_kind("/api/v1/hubs/chat/groups/%20/send", LINK__KIND__KIND_GROUP,
		    "5 hub=chat name=  connection= text=\n");
}

Test(admin_acts, bodies_are_checked_before_anybody_is_asked)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_command);
	expect_problem("POST", GROUP "/send", "{", 400, "bad-body");
	expect_problem("POST", GROUP "/send", "{}", 422, "bad-member");
	expect_problem("POST", GROUP "/send", NULL, 400, "bad-body");
	expect_problem("PUT", GROUP "/users/ann", "{}", 400, "bad-request");
	expect_problem("DELETE", "/api/v1/connections/c1", "[]", 422, "bad-member");
	admin_kit_say(&kit, "POST", GROUP "/send", "Content-Type: text/plain\r\n", SEND);
	cr_expect_eq(admin_kit_wait(&kit), 415);
	cr_expect(admin_kit_is_problem(&kit, "media-type"));
	admin_kit_say(&kit, "POST", GROUP "/send", "", SEND);
	cr_expect_eq(admin_kit_wait(&kit), 415);
	cr_expect_eq(asked_n(), 0);
}

Test(admin_acts, a_body_has_its_limit)
{
	struct buf body = BUF_INIT;

	kit.conf.admin_body_max = 1024;
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_command);
	buf_append_str(&body, "{\"target\":\"x\",\"arguments\":[]");
	while (body.len < 1023)
		buf_append_byte(&body, ' ');
	buf_append(&body, "}", 2);
	cr_expect_eq(admin_kit_ask(&kit, "POST", GROUP "/send", body.ptr), 202);
	body.ptr[1023] = ' ';
	body.len = 1024;
	buf_append(&body, "}", 2);
	expect_problem("POST", GROUP "/send", body.ptr, 413, "too-large");
	cr_expect_eq(kit.presence.metrics.admin_http.malformed_total, 1);
	buf_fini(&body);
}

Test(admin_acts, json_may_name_its_charset)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_command);
	admin_kit_say(&kit, "POST", GROUP "/send",
		      "Content-Type: Application/JSON ; charset=utf-8\r\n", SEND);
	cr_expect_eq(admin_kit_wait(&kit), 202);
}

/* ---- what goes wrong */

Test(admin_acts, without_a_router_nothing_is_done)
{
	expect_problem("POST", GROUP "/send", SEND, 503, "unavailable");
	cr_expect(admin_kit_has(&kit, "\r\nRetry-After: 1\r\n"));
	expect_problem("GET", "/api/v1/hubs/chat/groups", NULL, 503, "unavailable");
}

Test(admin_acts, too_many_at_once_are_told_to_come_back)
{
	kit.conf.commands_max = 0;
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_command);
	expect_problem("POST", GROUP "/send", SEND, 503, "busy");
}

Test(admin_acts, silence_is_a_timeout)
{
	kit.conf.command_timeout_ms = 30;
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_command_silent);
	expect_problem("POST", GROUP "/send", SEND, 504, "timeout");
	cr_expect_eq(asked_n(), 1);
}

/* Has the router said that it has the one that is under way? */
static bool is_handled(void)
{
	struct list *first = kit.presence.commands.all.next;

	return CONTAINER_OF(first, struct command, list_node)->is_handled;
}

Test(admin_acts, a_router_that_dies_leaves_the_outcome_open)
{
	struct kit_peer *router =
		admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_command_silent);

	admin_kit_say(&kit, "POST", GROUP "/send", "Content-Type: application/json\r\n",
		      SEND);
	while (router->commands_n == 0 || !is_handled())
		http_client_turn(&kit.http, &kit.client);
	link_peer_reset(router->presence);
	cr_expect_eq(admin_kit_wait(&kit), 503);
	cr_expect(admin_kit_is_problem(&kit, "outcome-unknown"), "%s", kit.client.in.ptr);
	cr_expect_not(admin_kit_has(&kit, "Retry-After"));
}

static void expect_answer(int32_t rc, int status, const char *name)
{
	says = rc;
	expect_problem("PUT", GROUP "/connections/c1", NULL, status, name);
}

Test(admin_acts, errors_of_routers_have_their_problems)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_command);
	expect_answer(ERR_NOT_FOUND, 404, "not-here");
	expect_answer(ERR_LIMIT, 422, "refused");
	expect_answer(ERR_AGAIN, 503, "busy");
	expect_answer(ERR_CLOSED, 503, "unavailable");
	expect_answer(ERR_TIMEOUT, 504, "timeout");
	expect_answer(ERR_OUTCOME, 503, "outcome-unknown");
	expect_answer(-999, 503, "outcome-unknown");
}

Test(admin_acts, a_client_that_leaves_does_not_undo_what_it_asked)
{
	struct kit_peer *router =
		admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_command);

	admin_kit_say(&kit, "PUT", GROUP "/connections/c1", "", NULL);
	while (router->commands_n == 0)
		loop_turn(kit.http.loop, 2);
	http_client_close(&kit.client);
	while (kit.presence.metrics.admin_acts_total == 0)
		loop_turn(kit.http.loop, 2);
	cr_expect_eq(asked_n(), 1);
}

/* ---- users */

static void add_many(int n, struct slice user)
{
	for (int i = 0; i < n; i++) {
		char id[16];
		const int len = snprintf(id, sizeof(id), "c%d", i);

		admin_kit_add(&kit, i % 2 == 0 ? "g1" : "g2", slice_make(id, (size_t)len),
			      user);
	}
}

Test(admin_acts, every_connection_of_a_user_is_closed_by_its_gateway)
{
	struct kit_peer *g1 =
		admin_kit_peer(&kit, LINK__ROLE__ROLE_GATEWAY, "g1", on_command);
	struct kit_peer *g2 =
		admin_kit_peer(&kit, LINK__ROLE__ROLE_GATEWAY, "g2", on_command);

	add_many(99, SLICE("ann"));
	cr_expect_eq(admin_kit_ask(&kit, "DELETE", "/api/v1/users/ann/connections",
				   "{\"reason\":\"go\",\"allowReconnect\":true}"),
		     200);
	cr_expect(admin_kit_has(&kit, "\r\n\r\n{\"disconnected\":99}"));
	cr_expect_eq(g1->commands_n, 50);
	cr_expect_eq(g2->commands_n, 49);
	cr_expect_not_null(
		strstr(asked, "7 hub=chat name= connection=c42 text=go again\n"));
}

Test(admin_acts, connections_that_went_by_themselves_do_not_count)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_GATEWAY, "g1", on_command);
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_GATEWAY, "g2", on_command);
	add_many(20, SLICE("ann"));
	says = ERR_NOT_FOUND;
	cr_expect_eq(admin_kit_ask(&kit, "DELETE", "/api/v1/users/ann/connections", NULL),
		     200);
	cr_expect(admin_kit_has(&kit, "{\"disconnected\":0}"));
}

Test(admin_acts, what_fails_for_some_is_done_for_the_others)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_GATEWAY, "g1", on_command);
	add_many(40, SLICE("ann"));
	expect_problem("DELETE", "/api/v1/users/ann/connections", NULL, 503,
		       "unavailable");
	cr_expect(admin_kit_has(&kit, "\"connections\":20}"));
	cr_expect_eq(asked_n(), 20);
}

Test(admin_acts, no_more_than_sixteen_are_under_way)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_GATEWAY, "g1", on_command_silent);
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_GATEWAY, "g2", on_command_silent);
	add_many(40, SLICE("ann"));
	admin_kit_say(&kit, "DELETE", "/api/v1/users/ann/connections", "", NULL);
	while (asked_n() < 16)
		http_client_turn(&kit.http, &kit.client);
	for (int i = 0; i < 20; i++)
		http_client_turn(&kit.http, &kit.client);
	cr_expect_eq(asked_n(), 16);
	cr_expect_eq(kit.presence.metrics.commands, 16);
	/* Presence ends with all of it under way. */
	admin_close(kit.presence.admin);
	kit.presence.admin = NULL;
	cr_expect_eq(kit.presence.metrics.commands, 0);
}

Test(admin_acts, a_user_who_is_not_here_is_404)
{
	expect_problem("DELETE", "/api/v1/users/ann/connections", NULL, 404, "not-here");
	expect_problem("PUT", GROUP "/users/ann", NULL, 404, "not-here");
	expect_problem("DELETE", "/api/v1/connections/c1", NULL, 404, "not-here");
	expect_problem("POST", "/api/v1/gateways/g1/drain", NULL, 404, "not-here");
}

Test(admin_acts, a_user_joins_with_the_connections_of_that_hub)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_command);
	add_many(3, SLICE("ann"));
	cr_expect_eq(admin_kit_ask(&kit, "PUT", GROUP "/users/ann", NULL), 200);
	cr_expect(admin_kit_has(&kit, "{\"connections\":3}"));
	cr_expect_not_null(strstr(asked, "3 hub=chat name=red connection=c1 text=\n"));
	asked_len = 0;
	cr_expect_eq(admin_kit_ask(&kit, "DELETE", GROUP "/users/ann", NULL), 200);
	cr_expect(admin_kit_has(&kit, "{\"connections\":3}"));
	cr_expect_not_null(strstr(asked, "4 hub=chat name=red connection=c1 text=\n"));
	cr_expect_eq(admin_kit_ask(&kit, "PUT", "/api/v1/hubs/relay/groups/red/users/ann",
				   NULL),
		     200);
	cr_expect(admin_kit_has(&kit, "{\"connections\":0}"));
}

/* ---- a connection, a gateway */

static bool on_groups_of(struct kit_peer *peer, const Link__Command *command,
			 Link__CommandDone *done)
{
	static Link__GroupSize size = LINK__GROUP_SIZE__INIT;
	static Link__GroupSize *groups[1] = { &size };

	size.name = link_bytes(SLICE("red"));
	done->groups = groups;
	done->n_groups = 1;
	return on_command(peer, command, done);
}

Test(admin_acts, a_connection_tells_its_groups)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_GATEWAY, "g1", on_groups_of);
	add_many(1, SLICE("ann"));
	cr_expect_eq(admin_kit_get(&kit, "/api/v1/connections/c0"), 200);
	cr_expect(admin_kit_has(&kit, "\"groups\":[\"red\"]}"));
	cr_expect_str_eq(asked, "6 hub=chat name= connection=c0 text=\n");
	says = ERR_NOT_FOUND;
	cr_expect_eq(admin_kit_get(&kit, "/api/v1/connections/c0"), 404);
	says = ERR_LIMIT;
	cr_expect_eq(admin_kit_get(&kit, "/api/v1/connections/c0"), 200);
	cr_expect(admin_kit_has(&kit, "\"groups\":null}"));
}

Test(admin_acts, a_connection_is_closed_by_its_gateway)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_GATEWAY, "g1", on_command);
	add_many(1, SLICE("ann"));
	cr_expect_eq(admin_kit_ask(&kit, "DELETE", "/api/v1/connections/c0",
				   "{\"reason\":\"why\"}"),
		     200);
	cr_expect(admin_kit_has(&kit, "{\"disconnected\":1}"));
	cr_expect_str_eq(asked, "7 hub=chat name= connection=c0 text=why\n");
}

Test(admin_acts, a_gateway_is_drained)
{
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_GATEWAY, "g1", on_command);
	(void)admin_kit_peer(&kit, LINK__ROLE__ROLE_ROUTER, "r1", on_command);
	cr_expect_eq(admin_kit_ask(&kit, "POST", "/api/v1/gateways/g1/drain", NULL), 202);
	cr_expect(admin_kit_has(&kit, "{\"gateway\":\"g1\",\"isDraining\":true}"));
	cr_expect_str_eq(asked, "8 hub= name= connection= text=\n");
	expect_problem("POST", "/api/v1/gateways/r1/drain", NULL, 404, "not-here");
}
