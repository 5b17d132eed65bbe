/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The livedata hub: what readers get, fast and slow ones, and what producers may say.
 */
#include <ctype.h>

#include "router/hub_runtime.h"
#include "router/hubs/hubs.h"
#include "tests/unit/router/hub_kit.h"

#define ITEMS_MAX 16
#define NOON "2026-11-22T12:00:00.000Z"

static struct kit *kit;

/* Connection `id` with one role, or none for NULL. */
static void connect_as(struct link_peer *gateway, const char *id, const char *role)
{
	ProtobufCBinaryData roles[] = { link_bytes(slice_from_str(role)) };
	Link__User user = LINK__USER__INIT;
	Link__Connected connected = LINK__CONNECTED__INIT;

	user.roles = roles;
	user.n_roles = role != NULL;
	connected.hub = link_bytes(SLICE("livedata"));
	connected.connection = link_bytes(slice_from_str(id));
	connected.user = &user;
	connected.protocol = 1;
	kit_hear_connected(kit, gateway, &connected);
	kit_turn(kit);
}

/* A reader at g1, a producer at g2. */
static void setup(void)
{
	struct router_conf conf = kit_conf();
	static char hubs[] = "chat,livedata,notifications";

	conf.hubs = hubs;
	kit = kit_new_conf(NULL, &conf);
	kit->hub = "livedata";
	kit_replayed(kit, kit->g1);
	kit_replayed(kit, kit->g2);
	kit_topology(kit, true, kit->g1, kit->g2);
	kit_turn(kit);
	connect_as(kit->g1, "r", NULL);
	connect_as(kit->g2, "p", "livedata.publish");
}

static void teardown(void)
{
	kit_free(kit);
}

TestSuite(livedata, .init = setup, .fini = teardown, .timeout = 60);

/* ---- a producer */

static unsigned upload; /* number of the call */

static void begin(const char *type)
{
	kit_upload(kit, kit->g2, "p", "7", "Publish", kit_text(kit, "[\"%s\"]", type),
		   "u");
	upload = (unsigned)kit->last_invoke;
	kit_turn(kit);
}

static void say(const char *reading)
{
	kit_item(kit, kit->g2, "p", "u", reading);
	kit_turn(kit);
}

static void say_value(const char *key, int value)
{
	say(kit_text(kit, "{\"key\":\"%s\",\"value\":%d,\"timestamp\":\"" NOON "\"}", key,
		     value));
}

/* What the upload ends with; credits are passed over. */
static const char *ended(void)
{
	const char *said;

	do
		said = kit_said(kit, kit->g2);
	while (strncmp(said, "credit", 6) == 0);
	kit_ack(kit, kit->g2);
	return said;
}

static void expect_taken(int n)
{
	kit_completion(kit, kit->g2, "p", "u", NULL, NULL);
	kit_turn(kit);
	cr_expect_str_eq(ended(), kit_text(kit,
					   "complete p %u {\"type\":3,\"invocationId\":"
					   "\"7\",\"result\":%d}",
					   upload, n));
}

static void expect_refused(const char *type, const char *reading, const char *why)
{
	begin(type);
	say(reading);
	cr_expect_str_eq(ended(),
			 kit_text(kit,
				  "complete p %u {\"type\":3,\"invocationId\":\"7\","
				  "\"error\":\"An unexpected error occurred invoking "
				  "'Publish' on the server. HubException: %s\"}",
				  upload, why));
}

/* ---- a reader */

static void subscribe(const char *type, const char *filter)
{
	kit_stream(kit, kit->g1, "r", "s", "Subscribe",
		   kit_text(kit, "[\"%s\",\"%s\"]", type, filter));
	kit_turn(kit);
}

/* "there a=1", "new a=1", or "" when there is none. */
static const char *item(void)
{
	const char *said = kit_said(kit, kit->g1);
	const char *key = strstr(said, "\"key\":\"");
	const char *value = strstr(said, "\"value\":");
	const bool is_there = strstr(said, "\"isSnapshot\":true") != NULL;

	if (said[0] == '\0')
		return "";
	if (strncmp(said, "push r ", 7) != 0 || key == NULL || value == NULL)
		return said;
	key += strlen("\"key\":\"");
	value += strlen("\"value\":");
	return kit_text(kit, "%s %.*s=%.*s", is_there ? "there" : "new",
			(int)strcspn(key, "\""), key, (int)strcspn(value, ",}"), value);
}

#define expect_item(want)                                                                \
	do {                                                                             \
		const char *got = item();                                                \
		cr_expect_str_eq(got, (want), "got: %s\nwant: %s", got, (want));         \
	} while (0)
#define expect_no_item() expect_item("")

static void confirm(void)
{
	kit_ack(kit, kit->g1);
	kit_turn(kit);
}

Test(livedata, first_what_is_there_then_what_changes)
{
	begin("t");
	say_value("a", 1);
	say_value("b", 2);
	say_value("a", 3);
	subscribe("t", "");
	expect_item("there b=2");
	expect_item("there a=3");
	expect_no_item();
	say_value("b", 4);
	expect_item("new b=4");
	say_value("c", 5);
	expect_item("new c=5");
	expect_no_item();
	expect_taken(5);
}

Test(livedata, a_type_that_nothing_is_known_of_is_waited_for)
{
	subscribe("t", "*");
	expect_no_item();
	begin("other");
	say_value("a", 1);
	expect_taken(1);
	expect_no_item();
	begin("t");
	say_value("a", 2);
	expect_item("new a=2");
}

Test(livedata, an_update_says_all_of_itself)
{
	const char *said;
	const char *version;

	begin("t");
	say("{\"key\":\"a\",\"value\":{\"x\":[1,null,\"\\u00e4\"]},"
	    "\"timestamp\":\"2026-11-22T13:00:00+01:00\",\"more\":1}");
	subscribe("t", "");
	said = kit_said(kit, kit->g1);
	version = strstr(said, "\"version\":");
	cr_assert_not_null(version, "%s", said);
	cr_expect(isdigit((unsigned char)version[strlen("\"version\":")]));
	cr_expect_not_null(strstr(said, "\"item\":{\"dataType\":\"t\",\"key\":\"a\","
					"\"value\":{\"x\":[1,null,\"\u00e4\"]},"
					"\"timestamp\":\"" NOON "\",\"version\":"),
			   "%s", said);
	cr_expect_not_null(strstr(said, ",\"isSnapshot\":true}"), "%s", said);
}

Test(livedata, a_filter_lets_through_what_matches)
{
	begin("t");
	say_value("hall/1", 1);
	say_value("roof/1", 2);
	say_value("hall/2", 3);
	subscribe("t", "hall/*");
	expect_item("there hall/1=1");
	expect_item("there hall/2=3");
	say_value("roof/1", 4);
	say_value("hall/1", 5);
	expect_item("new hall/1=5");
	expect_no_item();
}

/* ---- slow readers */

Test(livedata, a_reader_that_is_behind_gets_the_last_value_of_each_key)
{
	begin("t");
	subscribe("t", "");
	kit_flow(kit, kit->g1, "r", true);
	say_value("a", 1);
	for (int i = 2; i <= 9; i++) {
		say_value("a", i);
		say_value("b", 10 * i);
	}
	expect_no_item();
	kit_flow(kit, kit->g1, "r", false);
	kit_turn(kit);
	expect_item("new a=9");
	expect_item("new b=90");
	expect_no_item();
	expect_taken(17);
}

Test(livedata, no_more_is_on_its_way_than_the_gateway_confirms)
{
	begin("t");
	for (int i = 0; i < 3 * ITEMS_MAX; i++)
		say_value(kit_text(kit, "k%d", i), 1);
	subscribe("t", "");
	for (int i = 0; i < ITEMS_MAX; i++)
		expect_item(kit_text(kit, "there k%d=1", i));
	expect_no_item();
	for (int i = 0; i < 3 * ITEMS_MAX; i++)
		say_value(kit_text(kit, "k%d", i), 2);
	expect_no_item();
	confirm();
	/* Each key once more, and none twice. */
	for (int seen = 0; seen < 3 * ITEMS_MAX; seen += ITEMS_MAX) {
		for (int i = seen; i < seen + ITEMS_MAX; i++)
			expect_item(kit_text(kit, "new k%d=2", i));
		expect_no_item();
		confirm();
	}
	expect_no_item();
}

/* ---- the end of a stream */

Test(livedata, a_canceled_stream_waits_no_more)
{
	subscribe("t", "");
	cr_expect_eq(kit->router->waits.by_id.count, 1);
	kit_cancel(kit, kit->g1, "r", "s");
	kit_turn(kit);
	kit_expect(kit, kit->g1, "complete r 1 {\"type\":3,\"invocationId\":\"s\"}");
	cr_expect_eq(kit->router->waits.by_id.count, 0);
}

Test(livedata, a_stream_ends_with_its_connection)
{
	subscribe("t", "");
	kit_disconnect(kit, kit->g1, "r");
	kit_turn(kit);
	cr_expect_eq(kit->router->waits.by_id.count, 0);
	cr_expect(hub_runtime_is_idle(kit->router->hubs));
}

Test(livedata, a_stream_for_which_there_is_no_room_looks_again)
{
	int turns = 0;

	kit->router->waits.n_max = 1;
	subscribe("t", "");
	kit_stream(kit, kit->g1, "r", "s2", "Subscribe", "[\"t\",\"\"]");
	kit_turn(kit);
	cr_expect_eq(kit->router->waits.refused_total, 1);
	begin("t");
	say_value("a", 1);
	expect_item("new a=1");
	for (const char *said = ""; said[0] == '\0' && turns < 100; turns++) {
		loop_turn(kit->loop, 100);
		said = item();
		if (said[0] != '\0')
			cr_expect_str_eq(said, "new a=1");
	}
	cr_expect_lt(turns, 100);
}

/* ---- producers */

Test(livedata, a_reading_that_is_none_ends_the_upload)
{
	expect_refused("t", "{\"value\":1}",
		       "readings.key: a string is wanted, there is none.");
	expect_refused("t", "{\"key\":\"a\"}",
		       "readings.value: a value is wanted, there is none.");
	expect_refused("t", "{\"key\":\"\",\"value\":1}",
		       "Reading 1: a key has 1 to 256 bytes and no star.");
	expect_refused("t", "{\"key\":\"a*\",\"value\":1}",
		       "Reading 1: a key has 1 to 256 bytes and no star.");
	expect_refused("t", "{\"key\":\"a\",\"value\":1,\"timestamp\":\"noon\"}",
		       "Reading 1: a timestamp is like 2026-11-22T10:00:00Z.");
	subscribe("t", "");
	expect_no_item();
}

/* So many letters between the two texts. */
static const char *long_text(const char *before, size_t len, const char *after)
{
	struct buf text = BUF_INIT;
	const char *copy;

	buf_append_str(&text, before);
	for (size_t i = 0; i < len; i++)
		buf_append_byte(&text, 'x');
	buf_append_str(&text, after);
	buf_append_byte(&text, '\0');
	copy = arena_dup(&kit->arena, buf_slice(&text)).ptr;
	buf_fini(&text);
	return copy;
}

#define VALUE "{\"key\":\"a\",\"value\":\""
#define KEY "{\"value\":1,\"key\":\""
#define CLOSE "\"}"

Test(livedata, at_each_limit_it_is_taken_and_one_past_it_is_not)
{
	begin("t");
	say(long_text(KEY, 256, CLOSE));
	say(long_text(VALUE, 16382, CLOSE));
	expect_taken(2);
	expect_refused("t", long_text(KEY, 257, CLOSE),
		       "Reading 1: a key has 1 to 256 bytes and no star.");
	expect_refused("t", long_text(VALUE, 16383, CLOSE),
		       "Reading 1: its value has more than 16384 bytes.");
	begin(long_text("", 128, ""));
	expect_taken(0);
	expect_refused(long_text("", 129, ""), "{}", "A data type has 1 to 128 bytes.");
	expect_refused("", "{}", "A data type has 1 to 128 bytes.");
}

Test(livedata, who_has_not_the_role_may_not_publish)
{
	kit_upload(kit, kit->g1, "r", "7", "Publish", "[\"t\"]", "u");
	kit_turn(kit);
	kit_expect(kit, kit->g1,
		   "complete r 1 {\"type\":3,\"invocationId\":\"7\",\"error\":\"An "
		   "unexpected error occurred invoking 'Publish' on the server. "
		   "HubException: Not allowed: livedata.publish:t is missing.\"}");
	kit_disconnect(kit, kit->g2, "p");
	connect_as(kit->g2, "p", "livedata.publish:other,t*");
	begin("t1");
	say_value("a", 1);
	expect_taken(1);
	expect_refused("s", "{}", "Not allowed: livedata.publish:s is missing.");
}

Test(livedata, the_producers_own_error_is_passed_on_and_what_came_before_it_stays)
{
	begin("t");
	say_value("a", 1);
	kit_completion(kit, kit->g2, "p", "u", NULL, "sensor lost");
	kit_turn(kit);
	cr_expect_not_null(strstr(ended(), "HubException: sensor lost"));
	subscribe("t", "");
	expect_item("there a=1");
}

/* ---- events */

/* A connection of the hub notifications at g1 that has asked for them. */
static void ask_for_events(const char *group)
{
	kit->hub = "notifications";
	kit_connect(kit, kit->g1, "n", "ann");
	kit_turn(kit);
	kit_skip(kit, kit->g1);
	kit_member(kit, kit->g1, LINK__KIND__KIND_GROUP, group, "n", false);
	kit->hub = "livedata";
}

Test(livedata, a_reading_is_an_event_for_those_of_notifications_that_asked)
{
	const char *said;

	ask_for_events("data-t-a");
	begin("t");
	say_value("b", 1);
	kit_expect_silence(kit, kit->g1);
	say_value("a", 2);
	said = kit_said(kit, kit->g1);
	cr_expect_eq(strncmp(said, "deliver group data-t-a ", 23), 0, "%s", said);
	cr_expect_not_null(strstr(said, "\"target\":\"DataUpdated\""), "%s", said);
}

Test(livedata, there_are_no_events_when_subscribing_is_not_open)
{
	kit_hub_option(kit, "subscribe_open", "off");
	ask_for_events("data-t-a");
	begin("t");
	say_value("a", 1);
	kit_expect_silence(kit, kit->g1);
	expect_taken(1);
	kit_hub_option(kit, "subscribe_open", "on");
	begin("t");
	say_value("a", 2);
	cr_expect_neq(kit_said(kit, kit->g1)[0], '\0');
}

/* ---- options */

Test(livedata, past_keys_max_the_one_that_has_not_changed_for_longest_goes)
{
	kit_hub_option(kit, "keys_max", "2");
	begin("t");
	say_value("a", 1);
	say_value("b", 2);
	say_value("a", 3);
	say_value("c", 4);
	expect_taken(4);
	subscribe("t", "");
	expect_item("there a=3");
	expect_item("there c=4");
	expect_no_item();
}

Test(livedata, a_value_may_have_as_many_bytes_as_the_option_says)
{
	kit_hub_option(kit, "value_bytes_max", "64");
	begin("t");
	say(long_text(VALUE, 62, CLOSE));
	expect_taken(1);
	expect_refused("t", long_text(VALUE, 63, CLOSE),
		       "Reading 1: its value has more than 64 bytes.");
}

Test(livedata, anybody_may_publish_when_that_is_open)
{
	kit_hub_option(kit, "publish_open", "on");
	kit_disconnect(kit, kit->g2, "p");
	connect_as(kit->g2, "p", NULL);
	begin("t");
	say_value("a", 1);
	expect_taken(1);
}

Test(livedata, subscribing_wants_a_role_when_it_is_not_open)
{
	kit_hub_option(kit, "subscribe_open", "off");
	subscribe("t", "");
	kit_expect(kit, kit->g1,
		   "complete r 1 {\"type\":3,\"invocationId\":\"s\",\"error\":\"An "
		   "unexpected error occurred invoking 'Subscribe' on the server. "
		   "HubException: Not allowed: livedata.subscribe:t is missing.\"}");
	kit_disconnect(kit, kit->g1, "r");
	connect_as(kit->g1, "r", "livedata.subscribe:t*");
	begin("t1");
	say_value("a", 1);
	subscribe("t1", "");
	expect_item("there a=1");
}
