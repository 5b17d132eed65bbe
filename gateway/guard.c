/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who holds how many connections.
 */
#include "gateway/guard.h"

#include <assert.h>

#include "gateway/gateway.h"

void guard_init(struct guard *guard, uint64_t seed, uint64_t *forgotten)
{
	rate_table_init(&guard->addresses, seed, forgotten);
	rate_table_init(&guard->users, seed, forgotten);
}

void guard_fini(struct guard *guard)
{
	rate_table_fini(&guard->addresses);
	rate_table_fini(&guard->users);
}

bool guard_has_room(struct gateway *gateway, const struct address *address,
		    const struct user *user)
{
	const struct gateway_conf *conf = gateway->conf;
	const struct guard *guard = &gateway->guard;

	if (!rate_table_has_room(&guard->addresses, address_client(address),
				 conf->address_connections_max)) {
		gateway->metrics.rate_limited_total[GUARD_ADDRESS_CONNECTIONS]++;
		return false;
	}
	if (user_id(user).len > 0 && !rate_table_has_room(&guard->users, user_id(user),
							  conf->user_connections_max)) {
		gateway->metrics.rate_limited_total[GUARD_USER_CONNECTIONS]++;
		return false;
	}
	return true;
}

void guard_enter(struct conn *conn, const struct address *address)
{
	struct guard *guard = &conn->gateway->guard;

	assert(conn->by_address == 0 && conn->by_user == 0);
	conn->by_address = rate_table_enter(&guard->addresses, address_client(address));
	if (user_id(conn->user).len > 0)
		conn->by_user = rate_table_enter(&guard->users, user_id(conn->user));
}

void guard_leave(struct conn *conn)
{
	struct guard *guard = &conn->gateway->guard;

	if (conn->by_address != 0)
		rate_table_leave(&guard->addresses, conn->by_address);
	if (conn->by_user != 0)
		rate_table_leave(&guard->users, conn->by_user);
	conn->by_address = 0;
	conn->by_user = 0;
}
