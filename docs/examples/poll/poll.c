/* SPDX-License-Identifier: Apache-2.0 */
/*
 * poll: a room is a group, and a set of fields of the same name, one for each user who
 * has voted. It is forgotten a week after its last vote; of more than a thousand votes
 * the oldest go.
 */
#include "poll.gen.h"

enum { OPTION_CHOICES_MAX };
enum { COUNTER_VOTES };

#define ROOM_BYTES_MAX 100
#define CHOICE_BYTES_MAX 100

static const struct hub_bounds kept = {
	.entries_max = HUB_ENTRIES_MAX,
	.ttl_ms = 7 * 24 * 3600 * INT64_C(1000),
};

/* The tally of that choice; a new one, last, when it has none. */
static struct poll_tally *tally_of(struct poll_tally *tallies, size_t *n,
				   struct slice choice)
{
	for (size_t i = 0; i < *n; i++) {
		if (slice_equal(tallies[i].choice, choice))
			return &tallies[i];
	}
	tallies[*n] = (struct poll_tally){ .choice = choice };
	return &tallies[(*n)++];
}

static enum hub_rc count_votes(struct hub_call *call, struct slice room,
			       struct poll_count *count)
{
	const struct hub_field *votes;
	struct poll_tally *tallies;
	size_t n;
	const enum hub_rc rc = hub_await_fields(call, room, &votes, &n);

	if (rc != HUB_OK)
		return rc;
	tallies = hub_alloc(call, n * sizeof(*tallies));
	count->tallies = tallies;
	for (size_t i = 0; i < n; i++) {
		tally_of(tallies, &count->tallies_n, votes[i].bytes)->votes++;
		if (count->version < (int64_t)votes[i].version)
			count->version = (int64_t)votes[i].version;
	}
	return HUB_OK;
}

static enum hub_rc check_room(struct hub_call *call, struct slice room)
{
	if (room.len == 0 || room.len > ROOM_BYTES_MAX)
		return hub_fail(call, "A room has a name of 1 to %d bytes.",
				ROOM_BYTES_MAX);
	return HUB_OK;
}

static enum hub_rc poll_on_join(struct hub_call *call, struct slice room,
				struct poll_count *result)
{
	enum hub_rc rc = check_room(call, room);

	/* First the join: no vote falls between the count and what is heard later. */
	if (rc == HUB_OK)
		rc = hub_await_join(call, room);
	if (rc == HUB_OK)
		rc = count_votes(call, room, result);
	return rc;
}

static bool has_choice(const struct poll_count *count, struct slice choice)
{
	for (size_t i = 0; i < count->tallies_n; i++) {
		if (slice_equal(count->tallies[i].choice, choice))
			return true;
	}
	return false;
}

/* A new choice may come up while there are not too many. Two at once may both be the
 * last one: that does no harm. */
static enum hub_rc check_choice(struct hub_call *call, struct slice room,
				struct slice choice)
{
	const int64_t choices_max = hub_option_int(call, OPTION_CHOICES_MAX);
	struct poll_count count = { .version = 0 };
	enum hub_rc rc;

	if (choice.len == 0 || choice.len > CHOICE_BYTES_MAX)
		return hub_fail(call, "A choice has 1 to %d bytes.", CHOICE_BYTES_MAX);
	rc = count_votes(call, room, &count);
	if (rc != HUB_OK || has_choice(&count, choice) ||
	    (int64_t)count.tallies_n < choices_max)
		return rc;
	hub_log(call, LOG_INFO, "full", "room=%s", hub_quote(call, room));
	return hub_fail(call, "There are %d choices already.", (int)choices_max);
}

static enum hub_rc poll_on_vote(struct hub_call *call, struct slice room,
				struct slice choice, struct poll_count *result)
{
	enum hub_rc rc = check_room(call, room);

	if (rc == HUB_OK)
		rc = check_choice(call, room, choice);
	if (rc == HUB_OK)
		rc = hub_await_field_put(call, room, hub_user_id(call), choice, &kept,
					 HUB_ANY, NULL);
	if (rc == HUB_OK)
		rc = count_votes(call, room, result);
	if (rc != HUB_OK)
		return rc;
	hub_count(call, COUNTER_VOTES, 1);
	poll_voted(call, hub_to_group(room), room, result);
	return HUB_OK;
}

static const struct hub_option options[] = {
	[OPTION_CHOICES_MAX] = { "choices_max", HUB_OPTION_INT, "20", 1, 1000,
				 "Choices that may come up in a room." },
};

static const char *const counters[] = { [COUNTER_VOTES] = "votes" };

static const struct hub_module poll_hub = {
	.api_version = HUB_API_VERSION,
	.name = "poll",
	.methods = poll_methods,
	.methods_n = sizeof(poll_methods) / sizeof(poll_methods[0]),
	.options = options,
	.options_n = sizeof(options) / sizeof(options[0]),
	.counters = counters,
	.counters_n = sizeof(counters) / sizeof(counters[0]),
};

HUB_EXPORT(&poll_hub);
