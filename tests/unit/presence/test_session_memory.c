/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection costs presence, with a user of its own and texts as long as they
 * usually are.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "presence/session.h"
#include "proto/base/mem.h"

#define MANY 100000
#define BYTES_MAX 400

static void on_change(void *owner, const struct user *user, bool is_online)
{
	(void)owner;
	(void)user;
	(void)is_online;
}

static void add(struct sessions *sessions, uint64_t registration, int i)
{
	char connection[32];
	char user[32];
	char remote[32];
	const struct session_info info = {
		.hub = SLICE("chat"),
		.connection = { connection, 22 },
		.user_id = { user, strlen("user-000000") },
		.user_name = SLICE("Ada Lovelace"),
		.remote = { remote, strlen("10.0.000.000:40112") },
		.user_agent = SLICE("Microsoft SignalR/8.0 (8.0.7; Unknown OS; Browser; "
				    "Unknown Runtime Version)"),
		.opened_unix_ms = 1700000000000,
	};

	(void)snprintf(connection, sizeof(connection), "%022d", i);
	(void)snprintf(user, sizeof(user), "user-%06d", i);
	(void)snprintf(remote, sizeof(remote), "10.0.%03d.%03d:40112", i / 250 % 250,
		       i % 250);
	cr_assert_eq(sessions_add(sessions, registration, &info), OK);
}

Test(session_memory, a_connection_costs_little)
{
	const size_t before = mem_used_bytes();
	const struct session_options options = { .n_max = MANY,
						 .seed = 7,
						 .on_change = on_change };
	const struct session_gateway_id gateway = { SLICE("g1.17"), 7 };
	struct sessions sessions;
	uint64_t registration;
	size_t bytes;

	sessions_init(&sessions, &options);
	registration = registration_new(&sessions.registrations, &gateway, 1)->number;
	for (int i = 0; i < MANY; i++)
		add(&sessions, registration, i);
	bytes = (mem_used_bytes() - before) / MANY;
	cr_expect_leq(bytes, BYTES_MAX, "%zu", bytes);
	sessions_fini(&sessions);
}
