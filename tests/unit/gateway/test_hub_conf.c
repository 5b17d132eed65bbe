/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of a hub: what they inherit, what of them does not fit together, and the
 * lists among them.
 */
#include "gateway/hub_conf.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>

#include "gateway/conf.h"
#include "proto/wire/negotiate.h"

#define ARGS_MAX 16

static struct gateway_conf conf;
static char error[CONF_ERROR_MAX];

static void fini(void)
{
	conf_fini(&gateway_conf_table, &conf);
}

TestSuite(hub_conf, .fini = fini);

/* With the arguments up to a NULL. */
static enum conf_outcome load(const char *argument, ...) __attribute__((sentinel));

static enum conf_outcome load(const char *argument, ...)
{
	static char texts[ARGS_MAX][6000];
	char program[] = "heliograph-gateway";
	char routers[] = "--routers=r1=tcp://127.0.0.1:7000";
	char key[] = "--link_key_file=link.key";
	char hubs[] = "--hubs=relay,chat,notifications";
	char *argv[ARGS_MAX + 4] = { program, routers, key, hubs };
	int argc = 4;
	va_list args;

	va_start(args, argument);
	for (int i = 0; argument != NULL; argument = va_arg(args, const char *), i++) {
		cr_assert_lt(i, ARGS_MAX);
		(void)snprintf(texts[i], sizeof(texts[i]), "%s", argument);
		argv[argc++] = texts[i];
	}
	va_end(args);
	conf_fini(&gateway_conf_table, &conf);
	memset(&conf, 0, sizeof(conf));
	return conf_load(&gateway_conf_table, &conf, argc, argv, stdout, error);
}

static const struct hub_conf *hub(const char *name)
{
	const struct hub_conf *found =
		conf_scoped_find(&conf.hub_confs, slice_from_str(name));

	cr_assert_not_null(found);
	return found;
}

static void expect_good(const char *argument)
{
	cr_expect_eq(load(argument, NULL), CONF_RUN, "%s: %s", argument, error);
}

static void expect_refused(const char *argument, const char *text)
{
	cr_expect_eq(load(argument, NULL), CONF_FAIL, "%s", argument);
	cr_expect_str_eq(error, text);
}

Test(hub_conf, defaults_are_those_of_the_manual)
{
	const struct hub_conf *chat;

	expect_good(NULL);
	chat = hub("chat");
	cr_expect_str_eq(chat->path, "/hubs/chat");
	cr_expect_str_eq(hub("relay")->path, "/hubs/relay");
	cr_expect_eq(chat->transports,
		     TRANSPORT_WEBSOCKETS | TRANSPORT_SSE | TRANSPORT_LONG_POLLING);
	cr_expect_eq(chat->auth, HUB_AUTH_ANONYMOUS);
	cr_expect_str_eq(chat->roles, "");
	cr_expect_eq(chat->keepalive_interval_ms, 15000);
	cr_expect_eq(chat->client_timeout_ms, 30000);
	cr_expect_eq(chat->handshake_timeout_ms, 15000);
	cr_expect_eq(chat->message_bytes_max, 32768);
	cr_expect_not(chat->is_detailed);
	cr_expect_not(chat->is_stateful);
	cr_expect_eq(chat->stateful_buffer_bytes_max, 100000);
	cr_expect_eq(chat->stream_capacity, 10);
	cr_expect_not(chat->is_closing_expired);
	cr_expect_str_eq(chat->request_headers, "");
	cr_expect_not(chat->is_query_shown);
	cr_expect_eq(chat->negotiate_version_min, 0);
	cr_expect_eq(conf.poll_timeout_ms, 90000);
}

Test(hub_conf, notifications_are_for_users)
{
	const struct hub_conf *notifications;

	expect_good("--auth=anonymous");
	notifications = hub("notifications");
	cr_expect_str_eq(notifications->path, "/hubs/notifications");
	cr_expect_eq(notifications->auth, HUB_AUTH_REQUIRED);
	cr_expect_eq(notifications->transports, TRANSPORT_WEBSOCKETS | TRANSPORT_SSE);
	cr_expect(notifications->is_closing_expired);
	cr_expect_eq(hub("chat")->auth, HUB_AUTH_ANONYMOUS);
	cr_expect_not(hub("chat")->is_closing_expired);
}

Test(hub_conf, what_a_hub_starts_from_may_be_set)
{
	cr_assert_eq(load("--hub.notifications.auth=anonymous",
			  "--hub.notifications.transports=longpolling",
			  "--hub.notifications.close_on_auth_expiration=off", NULL),
		     CONF_RUN, "%s", error);
	cr_expect_eq(hub("notifications")->auth, HUB_AUTH_ANONYMOUS);
	cr_expect_eq(hub("notifications")->transports, TRANSPORT_LONG_POLLING);
	cr_expect_not(hub("notifications")->is_closing_expired);
}

Test(hub_conf, what_is_not_set_is_as_the_gateways)
{
	cr_assert_eq(load("--auth=required", "--keepalive_interval=1s",
			  "--client_timeout=9s", "--handshake_timeout=2s",
			  "--message_bytes_max=2KiB", "--detailed_errors=on",
			  "--stateful_reconnect=on", "--stateful_buffer_bytes_max=4KiB",
			  "--stream_capacity=3", "--close_on_auth_expiration=on", NULL),
		     CONF_RUN, "%s", error);
	cr_expect_eq(hub("chat")->auth, HUB_AUTH_REQUIRED);
	cr_expect_eq(hub("chat")->keepalive_interval_ms, 1000);
	cr_expect_eq(hub("chat")->client_timeout_ms, 9000);
	cr_expect_eq(hub("chat")->handshake_timeout_ms, 2000);
	cr_expect_eq(hub("chat")->message_bytes_max, 2048);
	cr_expect(hub("chat")->is_detailed);
	cr_expect(hub("chat")->is_stateful);
	cr_expect_eq(hub("chat")->stateful_buffer_bytes_max, 4096);
	cr_expect_eq(hub("chat")->stream_capacity, 3);
	cr_expect(hub("chat")->is_closing_expired);
}

Test(hub_conf, one_hub_may_differ)
{
	cr_assert_eq(load("--hub.chat.auth=required", "--hub.chat.message_bytes_max=1MiB",
			  "--hub.chat.transports=WebSockets,LongPolling",
			  "--hub.chat.detailed_errors=on", "--hub.chat.request_query=on",
			  "--hub.chat.stateful_reconnect=on",
			  "--hub.chat.close_on_auth_expiration=on",
			  "--hub.chat.negotiate_version_min=1", NULL),
		     CONF_RUN, "%s", error);
	cr_expect_eq(hub("chat")->auth, HUB_AUTH_REQUIRED);
	cr_expect_eq(hub("chat")->message_bytes_max, 1 << 20);
	cr_expect_eq(hub("chat")->transports,
		     TRANSPORT_WEBSOCKETS | TRANSPORT_LONG_POLLING);
	cr_expect(hub("chat")->is_detailed);
	cr_expect(hub("chat")->is_query_shown);
	cr_expect(hub("chat")->is_stateful);
	cr_expect(hub("chat")->is_closing_expired);
	cr_expect_eq(hub("chat")->negotiate_version_min, 1);
	cr_expect_eq(hub("relay")->auth, HUB_AUTH_ANONYMOUS);
	cr_expect_eq(hub("relay")->message_bytes_max, 32768);
}

Test(hub_conf, transports_have_two_spellings)
{
	expect_good("--hub.chat.transports=ServerSentEvents");
	cr_expect_eq(hub("chat")->transports, TRANSPORT_SSE);
	expect_good("--hub.chat.transports= sse , websockets");
	cr_expect_eq(hub("chat")->transports, TRANSPORT_SSE | TRANSPORT_WEBSOCKETS);
	expect_refused("--hub.chat.transports=",
		       "command line: hub.chat.transports = : accepted is a list of "
		       "websockets, sse, longpolling");
}

Test(hub_conf, numbers_have_a_range)
{
	expect_good("--hub.chat.message_bytes_max=1024");
	expect_refused("--hub.chat.message_bytes_max=1023",
		       "command line: hub.chat.message_bytes_max = 1023: accepted range "
		       "is 1KiB..1MiB");
	expect_good("--hub.chat.stateful_buffer_bytes_max=64MiB");
	expect_refused("--hub.chat.stateful_buffer_bytes_max=67108865",
		       "command line: hub.chat.stateful_buffer_bytes_max = 67108865: "
		       "accepted range is 1KiB..64MiB");
	expect_good("--hub.chat.stream_capacity=1000");
	expect_refused("--hub.chat.stream_capacity=1001",
		       "command line: hub.chat.stream_capacity = 1001: accepted range is "
		       "1..1000");
	expect_refused("--hub.chat.negotiate_version_min=2",
		       "command line: hub.chat.negotiate_version_min = 2: accepted range "
		       "is 0..1");
}

Test(hub_conf, a_hub_pings_sooner_than_it_gives_up)
{
	static const char problem[] =
		"hub.chat.client_timeout: must be longer than keepalive_interval";

	expect_refused("--hub.chat.keepalive_interval=30s", problem);
	expect_refused("--hub.chat.client_timeout=15s", problem);
	expect_good("--hub.chat.client_timeout=15001");
}

Test(hub_conf, a_path_is_one)
{
	static const char slashes[] = "hub.chat.path: must begin with a slash, not end "
				      "with one, nor have two in a row";
	static const char letters[] =
		"hub.chat.path: a path of a URL, without a query and without %";

	expect_good("--hub.chat.path=/a");
	expect_good("--hub.chat.path=/a/b.c-d_e~f");
	expect_refused("--hub.chat.path=chat", slashes);
	expect_refused("--hub.chat.path=/chat/", slashes);
	expect_refused("--hub.chat.path=/a//b", slashes);
	expect_refused("--hub.chat.path=/chat?a=b", letters);
	expect_refused("--hub.chat.path=/a b", letters);
	expect_refused("--hub.chat.path=/%41", letters);
	expect_refused("--hub.chat.path=/a#b", letters);
	expect_refused("--hub.chat.path=/a/Negotiate",
		       "hub.chat.path: ends in /negotiate, which is where clients "
		       "negotiate");
	expect_refused("--hub.chat.path=/",
		       "command line: hub.chat.path = /: accepted length is 2..255 "
		       "characters");
}

Test(hub_conf, two_hubs_have_two_paths)
{
	cr_expect_eq(load("--hub.relay.path=/live", "--hub.chat.path=/LIVE", NULL),
		     CONF_FAIL);
	cr_expect_str_eq(error, "hub.chat.path: another hub has the same");
	expect_refused("--hub.relay.path=/hubs/chat",
		       "hub.chat.path: another hub has the same");
	cr_expect_eq(
		load("--hub.relay.path=/hubs/chat", "--hub.chat.path=/hubs/relay", NULL),
		CONF_RUN, "%s", error);
}

Test(hub_conf, roles_imply_that_a_user_is_needed)
{
	expect_good(NULL);
	cr_expect_not(hub_conf_needs_user(hub("chat")));
	expect_good("--hub.chat.auth=required");
	cr_expect(hub_conf_needs_user(hub("chat")));
	expect_good("--hub.chat.roles=admin, on call");
	cr_expect(hub_conf_needs_user(hub("chat")));
	cr_expect(hub_conf_has_role(hub("chat"), SLICE("admin")));
	cr_expect(hub_conf_has_role(hub("chat"), SLICE("on call")));
	cr_expect_not(hub_conf_has_role(hub("chat"), SLICE("Admin")));
	cr_expect_not(hub_conf_has_role(hub("chat"), SLICE("adm")));
	cr_expect_not(hub_conf_has_role(hub("chat"), SLICE("admin, on call")));
	cr_expect_not(hub_conf_has_role(hub("chat"), SLICE("")));
	expect_refused("--hub.chat.roles=admin,", "hub.chat.roles: one of them is empty");
	expect_refused("--hub.chat.roles=,admin", "hub.chat.roles: one of them is empty");
}

Test(hub_conf, request_headers_are_named)
{
	static const char name[] =
		"hub.chat.request_headers: one of them is no name of a header";
	static const char secret[] =
		"hub.chat.request_headers: authorization is for the gateway alone";

	expect_good("--hub.chat.request_headers=X-Tenant, cookie");
	cr_expect(hub_conf_has_header(hub("chat"), SLICE("x-tenant")));
	cr_expect(hub_conf_has_header(hub("chat"), SLICE("Cookie")));
	cr_expect_not(hub_conf_has_header(hub("chat"), SLICE("x-tenan")));
	cr_expect_not(hub_conf_has_header(hub("relay"), SLICE("cookie")));
	expect_refused("--hub.chat.request_headers=a:b", name);
	expect_refused("--hub.chat.request_headers=a,,b", name);
	expect_refused("--hub.chat.request_headers=a b", name);
	expect_refused("--hub.chat.request_headers=cookie, Authorization", secret);
	expect_refused("--hub.chat.request_headers=Proxy-Authorization", secret);
}

static const char *headers(int n)
{
	static char text[512];
	int len = snprintf(text, sizeof(text), "--hub.chat.request_headers=h0");

	for (int i = 1; i < n; i++)
		len += snprintf(text + len, sizeof(text) - (size_t)len, ",h%d", i);
	return text;
}

Test(hub_conf, request_headers_are_32_at_most)
{
	expect_good(headers(32));
	cr_expect(hub_conf_has_header(hub("chat"), SLICE("H31")));
	expect_refused(headers(33), "hub.chat.request_headers: at most 32 names");
}
