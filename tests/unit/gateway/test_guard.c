/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many connections an address and a user may hold.
 */
#include "gateway/guard.h"

#include <criterion/criterion.h>

#include "gateway/user.h"
#include "tests/unit/gateway/fake_link.h"
#include "tests/unit/gateway/fake_loop.h"
#include "tests/unit/gateway/fake_proc.h"

static struct kit kit;

static void setup(void)
{
	kit_init(&kit);
	kit.conf->address_connections_max = 2;
	kit.conf->user_connections_max = 1;
	kit_start(&kit);
	guard_init(&kit.gateway->guard, 7, &kit.metrics->rate_forgotten_total);
}

/* Who has not left fails an assertion here. */
static void teardown(void)
{
	guard_fini(&kit.gateway->guard);
	kit_stop(&kit);
}

TestSuite(guard, .init = setup, .fini = teardown);

static struct address at(const char *text)
{
	struct address address;

	cr_assert_eq(address_parse(slice_from_str(text), &address), OK);
	return address;
}

static struct conn *enter(char letter, const char *user, const char *address_text)
{
	const struct address address = at(address_text);
	struct conn *conn = kit_open(&kit, letter, user)->conn;

	guard_enter(conn, &address);
	return conn;
}

static bool has_room(const char *user_id, const char *address_text)
{
	const struct address address = at(address_text);
	struct user *user =
		user_new(slice_from_str(user_id), SLICE_NONE, SLICE_NONE, NULL, 0);
	const bool has_room = guard_has_room(kit.gateway, &address, user);

	user_free(user);
	return has_room;
}

Test(guard, an_address_holds_so_many_and_no_more)
{
	const uint64_t *limited = kit.metrics->rate_limited_total;
	struct conn *first = enter('A', NULL, "10.0.0.1");
	struct conn *second;

	cr_expect(has_room("", "10.0.0.1"));
	second = enter('B', NULL, "10.0.0.1");
	cr_expect_eq(limited[GUARD_ADDRESS_CONNECTIONS], 0);
	cr_expect_not(has_room("", "10.0.0.1"));
	cr_expect_eq(limited[GUARD_ADDRESS_CONNECTIONS], 1);
	cr_expect(has_room("", "10.0.0.2"));
	guard_leave(first);
	cr_expect(has_room("", "10.0.0.1"));
	guard_leave(second);
}

Test(guard, a_network_of_ipv6_is_one_address)
{
	struct conn *first = enter('A', NULL, "2001:db8::1");
	struct conn *second = enter('B', NULL, "2001:db8::2");

	cr_expect_not(has_room("", "2001:db8::3"));
	cr_expect(has_room("", "2001:db8:0:1::3"));
	guard_leave(first);
	guard_leave(second);
}

Test(guard, a_user_holds_so_many_wherever_he_is)
{
	const uint64_t *limited = kit.metrics->rate_limited_total;
	struct conn *conn = enter('A', "ann", "10.0.0.1");

	cr_expect_not(has_room("ann", "10.0.0.2"));
	cr_expect_eq(limited[GUARD_USER_CONNECTIONS], 1);
	cr_expect_eq(limited[GUARD_ADDRESS_CONNECTIONS], 0);
	cr_expect(has_room("bob", "10.0.0.2"));
	guard_leave(conn);
	cr_expect(has_room("ann", "10.0.0.2"));
}

Test(guard, who_has_no_id_is_no_user)
{
	struct conn *conn = enter('A', NULL, "10.0.0.1");

	cr_expect_eq(conn->by_user, 0);
	cr_expect(has_room("", "10.0.0.2"));
	guard_leave(conn);
}

Test(guard, without_limits_there_is_always_room)
{
	struct conn *conns[3];

	kit.conf->address_connections_max = 0;
	kit.conf->user_connections_max = 0;
	for (size_t i = 0; i < 3; i++)
		conns[i] = enter((char)('A' + i), "ann", "10.0.0.1");
	cr_expect(has_room("ann", "10.0.0.1"));
	for (size_t i = 0; i < 3; i++)
		guard_leave(conns[i]);
}

Test(guard, a_connection_leaves_when_it_closes_and_once_only)
{
	struct conn *conn = enter('A', "ann", "10.0.0.1");
	struct conn *other = enter('B', "bob", "10.0.0.1");

	guard_leave(conn);
	guard_leave(conn);
	cr_expect(has_room("ann", "10.0.0.1"));
	kit_abort(&kit, 'B', NULL, false);
	cr_expect_eq(other->by_address, 0, "it has left by itself");
	cr_expect(has_room("bob", "10.0.0.1"));
}
