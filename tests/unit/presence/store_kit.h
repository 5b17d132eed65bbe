/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every store must do, written against presence/store.h alone: a backend's test file
 * runs each function of STORE_KIT_TESTS on fresh stores of its own making.
 */
#ifndef TESTS_UNIT_PRESENCE_STORE_KIT_H
#define TESTS_UNIT_PRESENCE_STORE_KIT_H

#include "presence/store.h"

/* How a backend's tests make a store and let it work. */
struct store_kit {
	struct store *(*make)(size_t sessions_max);
	void (*turn)(void); /* until an answer comes; NULL: it comes at once */
};

#define STORE_KIT_TESTS(X)                                                               \
	X(a_user_is_online_from_the_first_connection_to_the_last)                        \
	X(adding_twice_changes_nothing)                                                  \
	X(who_is_anonymous_is_a_connection_and_no_user)                                  \
	X(removing_what_is_not_there_is_not_found)                                       \
	X(one_id_in_two_hubs_is_two_connections)                                         \
	X(a_connection_stays_with_the_gateway_that_told_first)                           \
	X(a_gateway_takes_its_own_connections_along)                                     \
	X(a_user_is_found_with_name_and_time)                                            \
	X(a_user_is_found_with_at_most_limit_connections)                                \
	X(a_connection_is_found_with_all_that_was_told)                                  \
	X(users_are_listed_in_pages)                                                     \
	X(pages_hold_everyone_who_stays_once)                                            \
	X(a_cursor_of_others_is_refused)                                                 \
	X(ids_may_hold_any_byte)                                                         \
	X(text_has_its_limits)                                                           \
	X(sessions_max_is_the_last_that_fits)                                            \
	X(a_hundred_thousand_come_and_go)

#define STORE_KIT_DECLARE(name) void store_kit_##name(void);
STORE_KIT_TESTS(STORE_KIT_DECLARE)
#undef STORE_KIT_DECLARE

void store_kit_run(const struct store_kit *kit, void (*test)(void));

#endif
