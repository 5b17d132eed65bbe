/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/scenario_groups.h"

#include <assert.h>
#include <stdio.h>

uint32_t groups_size(const struct bench_conf *conf)
{
	assert(conf->groups > 0);
	if (conf->group_size > 0)
		return (uint32_t)conf->group_size;
	return (uint32_t)((conf->connections + conf->groups - 1) / conf->groups);
}

uint32_t groups_of(const struct bench_conf *conf, uint32_t client)
{
	return client / groups_size(conf) % (uint32_t)conf->groups;
}

/* Of the clients 0 .. end - 1: whole rounds over all groups, then a part of one. */
static uint32_t members_below(const struct bench_conf *conf, uint32_t group, uint32_t end)
{
	const uint64_t size = groups_size(conf);
	const uint64_t round = size * (uint64_t)conf->groups;
	const uint64_t before = group * size;
	const uint64_t rest = end % round;
	const uint64_t whole = end / round * size;

	if (rest <= before)
		return (uint32_t)whole;
	return (uint32_t)(whole + (rest - before < size ? rest - before : size));
}

uint32_t groups_members(const struct bench_conf *conf, uint32_t group, uint32_t first,
			uint32_t n)
{
	assert(group < conf->groups);
	return members_below(conf, group, first + n) - members_below(conf, group, first);
}

uint32_t users_n(const struct bench_conf *conf)
{
	return (uint32_t)(conf->users > 0 ? conf->users : conf->connections);
}

uint32_t users_of(const struct bench_conf *conf, uint32_t client)
{
	return client % users_n(conf);
}

static uint32_t connections_below(const struct bench_conf *conf, uint32_t user,
				  uint32_t end)
{
	const uint32_t users = users_n(conf);

	return end / users + (end % users > user ? 1 : 0);
}

uint32_t users_connections(const struct bench_conf *conf, uint32_t user, uint32_t first,
			   uint32_t n)
{
	assert(user < users_n(conf));
	return connections_below(conf, user, first + n) -
	       connections_below(conf, user, first);
}

uint32_t range_has(uint32_t client, uint32_t first, uint32_t n)
{
	return client >= first && client - first < n ? 1 : 0;
}

static struct slice numbered(char out[NUMBERED_BYTES], const char *what, uint32_t number)
{
	const int n = snprintf(out, NUMBERED_BYTES, "%s-%u", what, number);

	assert(n > 0 && n < NUMBERED_BYTES);
	return slice_make(out, (size_t)n);
}

struct slice group_name(char out[NUMBERED_BYTES], uint32_t group)
{
	return numbered(out, "group", group);
}

struct slice user_name(char out[NUMBERED_BYTES], uint32_t user)
{
	return numbered(out, "user", user);
}
