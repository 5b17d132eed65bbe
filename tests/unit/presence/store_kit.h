/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every store must do, written against presence/store.h alone: a backend's test file
 * runs each function of STORE_KIT_TESTS on fresh stores of its own making.
 */
#ifndef TESTS_UNIT_PRESENCE_STORE_KIT_H
#define TESTS_UNIT_PRESENCE_STORE_KIT_H

#include "presence/store.h"

struct store_kit_options {
	size_t sessions_max;
	int64_t offline_grace_ms;
	size_t events_max;
};

/* How a backend's tests make a store that is empty, and let time pass and it work. */
struct store_kit {
	struct store *(*make)(const struct store_kit_options *options);
	void (*turn)(void); /* waits a millisecond, or until something happens */
};

#define STORE_KIT_TESTS(X)                                                               \
	/* connections: store_kit_connections.c */                                       \
	X(a_user_is_online_from_the_first_connection_to_the_last)                        \
	X(adding_twice_changes_nothing)                                                  \
	X(who_is_anonymous_is_a_connection_and_no_user)                                  \
	X(removing_what_is_not_there_is_not_found)                                       \
	X(one_id_in_two_hubs_is_two_connections)                                         \
	X(a_connection_stays_with_the_gateway_that_told_first)                           \
	X(a_connection_stays_whose_it_was)                                               \
	X(a_connection_that_was_handed_over_moves_without_an_event)                      \
	X(a_user_is_found_with_name_and_time)                                            \
	X(a_connection_is_found_with_all_that_was_told)                                  \
	X(ids_may_hold_any_byte)                                                         \
	X(text_has_its_limits)                                                           \
	X(sessions_max_is_the_last_that_fits)                                            \
	/* pages: store_kit_pages.c */                                                   \
	X(users_are_listed_in_pages_by_id)                                               \
	X(users_are_found_by_prefix)                                                     \
	X(pages_hold_everyone_who_stays_once)                                            \
	X(connections_of_a_user_come_in_pages)                                           \
	X(a_cursor_of_others_is_refused)                                                 \
	X(many_thousands_come_and_go)                                                    \
	/* gateways: store_kit_gateways.c */                                             \
	X(a_retired_gateway_takes_its_own_connections_along)                             \
	X(a_sweep_removes_at_most_its_limit)                                             \
	X(a_gateway_whose_lease_ran_out_is_retired)                                      \
	X(renewing_one_renews_all_of_its_gateway)                                        \
	X(another_incarnation_retires_the_one_before)                                    \
	X(who_is_told_again_stays_without_an_event)                                      \
	X(what_a_replay_does_not_tell_is_gone)                                           \
	X(a_retired_registration_is_not_found)                                           \
	X(who_began_anew_keeps_what_it_told_before)                                      \
	X(a_connection_of_a_retired_gateway_may_be_told_by_another)                      \
	X(a_user_elsewhere_survives_a_lost_gateway_without_an_event)                     \
	/* events: store_kit_events.c */                                                 \
	X(events_tell_who_came_and_went)                                                 \
	X(events_are_kept_for_those_who_come_late)                                       \
	X(too_old_an_event_is_not_found)                                                 \
	X(an_event_names_the_user)                                                       \
	X(marks_are_kept_by_name)                                                        \
	X(a_mark_never_goes_back)                                                        \
	/* grace and quiet: store_kit_quiet.c */                                         \
	X(a_user_may_come_back_within_the_grace)                                         \
	X(a_user_goes_after_the_grace)                                                   \
	X(a_lost_gateways_users_have_no_grace)                                           \
	X(an_empty_store_is_quiet_about_those_told_before)                               \
	X(newcomers_wait_for_the_end_of_the_quiet)                                       \
	X(a_newcomer_who_was_told_elsewhere_is_none)                                     \
	X(a_newcomer_who_leaves_in_the_quiet_was_never_here)                             \
	X(in_the_quiet_nobody_goes_who_was_here)                                         \
	X(settling_twice_changes_nothing)                                                \
	/* shards: store_kit_shards.c */                                                 \
	X(the_greatest_map_is_kept)                                                      \
	X(a_map_follows_the_one_that_is_kept)                                            \
	X(only_who_leads_makes_maps)                                                     \
	X(a_list_that_is_wanted_is_kept)                                                 \
	X(a_list_that_was_wanted_is_told_again)                                          \
	X(what_was_wanted_of_a_cluster_ends_with_it)                                     \
	X(what_is_wanted_of_a_cluster_that_begins_stays)

#define STORE_KIT_DECLARE(name) void store_kit_##name(void);
STORE_KIT_TESTS(STORE_KIT_DECLARE)
#undef STORE_KIT_DECLARE

void store_kit_run(const struct store_kit *kit, void (*test)(void));

#endif
