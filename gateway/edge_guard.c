/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What requests are charged with. The options are read each time, since a reload may
 * change them.
 */
#include "gateway/edge_guard.h"

#include <assert.h>

#include "gateway/gateway.h"
#include "proto/base/log.h"

#define MINUTE_MS 60000

/* Buckets of an address; a user has the first alone. */
enum { NEGOTIATES, AUTH_FAILED, IDS_UNKNOWN };

_Static_assert(IDS_UNKNOWN < RATE_KINDS, "a bucket for each");

static const char *const names[GUARD_COUNT] = {
#define GUARD_NAME(reason, name) [reason] = (name),
	GUARD_LIST(GUARD_NAME)
#undef GUARD_NAME
};

static struct rate_rule a_minute(int64_t n)
{
	return (struct rate_rule){ .n = n, .period_ms = MINUTE_MS };
}

static int64_t now_ms(const struct gateway *gateway)
{
	return loop_now_ms(gateway->loop);
}

static void count(struct gateway *gateway, enum guard_reason reason, const char *remote)
{
	gateway->metrics.rate_limited_total[reason]++;
	log_info("edge.rate_limited", "reason=%s remote=%s", names[reason], remote);
}

/* False: it was 429. */
static bool settle(struct visit *visit, enum guard_reason reason, int64_t wait_ms)
{
	if (wait_ms == 0)
		return true;
	count(visit->gateway, reason, visit->view.remote);
	visit_respond_later(visit, (wait_ms + 999) / 1000);
	return false;
}

bool edge_guard_negotiate(struct visit *visit)
{
	struct gateway *gateway = visit->gateway;
	const struct rate_rule by_address =
		a_minute(gateway->conf->address_negotiates_per_minute_max);
	const struct rate_rule by_user =
		a_minute(gateway->conf->user_negotiates_per_minute_max);
	struct guard *guard = &gateway->guard;
	const struct slice address = address_client(&visit->view.address);

	assert(visit->user != NULL);
	if (!settle(visit, GUARD_ADDRESS_NEGOTIATES,
		    rate_table_take(&guard->addresses, address, NEGOTIATES, &by_address,
				    now_ms(gateway))))
		return false;
	if (user_id(visit->user).len == 0)
		return true;
	return settle(visit, GUARD_USER_NEGOTIATES,
		      rate_table_take(&guard->users, user_id(visit->user), NEGOTIATES,
				      &by_user, now_ms(gateway)));
}

bool edge_guard_token(struct visit *visit)
{
	struct gateway *gateway = visit->gateway;
	const struct rate_rule rule =
		a_minute(gateway->conf->address_auth_failed_per_minute_max);

	return settle(visit, GUARD_ADDRESS_AUTH_FAILED,
		      rate_table_look(&gateway->guard.addresses,
				      address_client(&visit->view.address), AUTH_FAILED,
				      &rule, now_ms(gateway)));
}

void edge_guard_token_was_bad(struct visit *visit)
{
	struct gateway *gateway = visit->gateway;
	const struct rate_rule rule =
		a_minute(gateway->conf->address_auth_failed_per_minute_max);

	/* There was one: edge_guard_token() has looked in this very turn. */
	(void)rate_table_take(&gateway->guard.addresses,
			      address_client(&visit->view.address), AUTH_FAILED, &rule,
			      now_ms(gateway));
}

bool edge_guard_id_was_unknown(struct visit *visit)
{
	struct gateway *gateway = visit->gateway;
	const struct rate_rule rule =
		a_minute(gateway->conf->address_ids_unknown_per_minute_max);

	return settle(visit, GUARD_ADDRESS_IDS_UNKNOWN,
		      rate_table_take(&gateway->guard.addresses,
				      address_client(&visit->view.address), IDS_UNKNOWN,
				      &rule, now_ms(gateway)));
}
