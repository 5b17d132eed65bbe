/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event feed over real sockets: what is told, from where on, and its limits.
 */
#include "presence/admin_events.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/presence/admin_kit.h"

static struct admin_kit kit;

static void on_settled(struct store_call *call, const struct store_answer *answer)
{
	(void)call;
	cr_assert_eq(answer->rc, OK);
}

static void setup(void)
{
	struct store_call call;

	admin_kit_init(&kit);
	/* A store that was empty tells nobody's coming until it is settled. */
	store_call_init(&call, on_settled);
	kit.presence.store->ops->settle(kit.presence.store, &call);
}

static void teardown(void)
{
	admin_kit_fini(&kit);
}

TestSuite(admin_events, .init = setup, .fini = teardown, .timeout = 60);

/* Opens a stream with the kit's client. */
static void watch(const char *target, const char *headers)
{
	admin_kit_say(&kit, "GET", target, headers, NULL);
	http_client_wait(&kit.http, &kit.client, ":\nretry: 1000\n\n", 1);
}

static void wait(const char *text)
{
	http_client_wait(&kit.http, &kit.client, text, 1);
}

/* The id of the first event that the client has had. */
static const char *first_id(void)
{
	static char id[80];
	const char *at = strstr(kit.client.in.ptr, "\nid: ");
	size_t len;

	cr_assert_not_null(at);
	at += strlen("\nid: ");
	len = strcspn(at, "\n");
	cr_assert_lt(len, sizeof(id));
	memcpy(id, at, len);
	id[len] = '\0';
	return id;
}

Test(admin_events, an_event_is_written_as_clients_read_it)
{
	struct store_event event = { .id = SLICE("00-1"),
				     .change = STORE_ONLINE,
				     .user_id = SLICE("a\nb"),
				     .user_name = SLICE("\"A\""),
				     .at_unix_ms = 1700000000123 };
	struct buf out = BUF_INIT;

	admin_event_write(&out, &event);
	cr_expect(
		slice_equal(buf_slice(&out),
			    SLICE("event: online\nid: 00-1\ndata: {\"userId\":\"a\\nb\","
				  "\"userName\":\"\\\"A\\\"\","
				  "\"at\":\"2023-11-14T22:13:20.123Z\"}\n\n")));
	buf_clear(&out);
	event.change = STORE_RESET;
	event.id = SLICE_NONE;
	event.at_unix_ms = 0;
	admin_event_write(&out, &event);
	cr_expect(slice_equal(buf_slice(&out),
			      SLICE("event: reset\n"
				    "data: {\"at\":\"1970-01-01T00:00:00.000Z\"}\n\n")));
	buf_fini(&out);
}

Test(admin_events, who_comes_and_goes_is_told)
{
	watch("/api/v1/events", "");
	cr_expect(admin_kit_has(&kit, "HTTP/1.1 200 "));
	cr_expect(admin_kit_has(&kit, "Content-Type: text/event-stream\r\n"));
	cr_expect(admin_kit_has(&kit, "Cache-Control: no-store\r\n"));
	cr_expect_not(admin_kit_has(&kit, "Content-Length"));
	admin_kit_add(&kit, "g1", SLICE("c1"), SLICE("ann"));
	wait("event: online\nid: ");
	wait("\ndata: {\"userId\":\"ann\",\"userName\":\"\",\"at\":\"");
	admin_kit_remove(&kit, "g1", SLICE("c1"));
	wait("event: offline\nid: ");
	cr_expect_eq(kit.presence.metrics.events_watchers, 1);
}

Test(admin_events, a_watcher_comes_back_with_its_id)
{
	char headers[128];

	watch("/api/v1/events", "");
	admin_kit_add(&kit, "g1", SLICE("c1"), SLICE("ann"));
	wait("event: online\n");
	(void)snprintf(headers, sizeof(headers), "Last-Event-ID: %s\r\n", first_id());
	http_client_close(&kit.client);
	admin_kit_add(&kit, "g1", SLICE("c2"), SLICE("ben"));
	watch("/api/v1/events?after=nonsense", headers);
	wait("\"userId\":\"ben\"");
	cr_expect_not(admin_kit_has(&kit, "\"ann\""));
	cr_expect_not(admin_kit_has(&kit, "event: reset"));
}

Test(admin_events, an_id_may_stand_in_the_query)
{
	char target[128];

	watch("/api/v1/events", "");
	admin_kit_add(&kit, "g1", SLICE("c1"), SLICE("ann"));
	wait("event: online\n");
	(void)snprintf(target, sizeof(target), "/api/v1/events?after=%s", first_id());
	admin_kit_add(&kit, "g1", SLICE("c2"), SLICE("ben"));
	watch(target, "");
	wait("\"userId\":\"ben\"");
	cr_expect_not(admin_kit_has(&kit, "\"ann\""));
}

Test(admin_events, an_id_that_nobody_knows_is_a_reset)
{
	admin_kit_add(&kit, "g1", SLICE("c1"), SLICE("ann"));
	watch("/api/v1/events?after=nonsense", "");
	wait("event: reset\n");
	admin_kit_add(&kit, "g1", SLICE("c2"), SLICE("ben"));
	wait("\"userId\":\"ben\"");
}

Test(admin_events, an_id_has_its_limit)
{
	char target[128] = "/api/v1/events?after=";
	size_t len = strlen(target);

	memset(target + len, '9', FEED_ID_BYTES_MAX + 1);
	cr_expect_eq(admin_kit_get(&kit, target), 400);
	target[len + FEED_ID_BYTES_MAX] = '\0';
	watch(target, "");
	cr_expect_eq(admin_kit_get(&kit, "/api/v1/events?after=%00"), 400);
}

Test(admin_events, head_tells_the_type)
{
	cr_expect_eq(admin_kit_ask(&kit, "HEAD", "/api/v1/events", NULL), 200);
	cr_expect(admin_kit_has(&kit, "Content-Type: text/event-stream\r\n"));
	cr_expect_eq(kit.presence.metrics.events_watchers, 0);
}

static void turn_until_watchers(int64_t n)
{
	for (int i = 0; i < 5000 && kit.presence.metrics.events_watchers != n; i++)
		loop_turn(kit.http.loop, 2);
	cr_assert_eq(kit.presence.metrics.events_watchers, n);
}

Test(admin_events, watchers_have_their_limit)
{
	struct http_client first;
	struct http_client second;

	watch("/api/v1/events", "");
	first = kit.client;
	kit.client = (struct http_client){ .fd = -1 };
	watch("/api/v1/events", "");
	second = kit.client;
	kit.client = (struct http_client){ .fd = -1 };
	cr_expect_eq(admin_kit_get(&kit, "/api/v1/events"), 503);
	cr_expect(admin_kit_is_problem(&kit, "busy"));
	cr_expect_eq(kit.presence.metrics.events_refused_total, 1);
	/* The place of one that left is free again. */
	http_client_close(&first);
	turn_until_watchers(1);
	watch("/api/v1/events", "");
	http_client_close(&second);
}

/* ---- a watcher that does not read */

/* Users come and go until the watcher is paused: the kernel takes no more. */
static int crowd(int more)
{
	int n = 0;

	while (n < 200000 &&
	       kit.presence.feed.watchers.next != &kit.presence.feed.watchers) {
		const struct feed_watcher *watcher = CONTAINER_OF(
			kit.presence.feed.watchers.next, struct feed_watcher, node);

		if (watcher->is_paused && more-- <= 0)
			break;
		admin_kit_add(&kit, "g1", SLICE("c1"), SLICE("ann"));
		admin_kit_remove(&kit, "g1", SLICE("c1"));
		n += 2;
		if (n % 50 == 0)
			loop_turn(kit.http.loop, 0);
	}
	return n;
}

Test(admin_events, a_slow_watcher_is_paused_and_catches_up)
{
	int n;

	watch("/api/v1/events", "");
	n = crowd(2); /* the store remembers ten */
	cr_assert_lt(n, 200000);
	cr_expect_eq(kit.presence.metrics.events_slow_total, 0);
	for (int i = 0; i < 200000 && http_client_count(&kit.client, "\nid: ") < n; i++)
		http_client_turn(&kit.http, &kit.client);
	cr_expect_eq(http_client_count(&kit.client, "\nid: "), n);
	cr_expect_not(admin_kit_has(&kit, "event: reset"));
}

Test(admin_events, a_watcher_that_was_too_slow_is_told_so)
{
	watch("/api/v1/events", "");
	(void)crowd(20);
	for (int i = 0; i < 5000 && !admin_kit_has(&kit, "event: reset\n"); i++)
		http_client_turn(&kit.http, &kit.client);
	cr_expect(admin_kit_has(&kit, "event: reset\n"));
}

Test(admin_events, presence_ends_with_watchers)
{
	watch("/api/v1/events", "");
	admin_close(kit.presence.admin);
	kit.presence.admin = NULL;
	cr_expect_eq(kit.presence.metrics.events_watchers, 0);
	http_client_wait_end(&kit.http, &kit.client);
}
