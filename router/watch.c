/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids grow in the order of their bytes and are the same at every replica. Behind a reset
 * they may begin anew: then the reset's own id counts, whatever was before.
 */
#include "router/watch.h"

#include "proto/base/log.h"
#include "router/hub_runtime.h"
#include "router/router.h"

void watch_init(struct watch *watch)
{
	buf_init(&watch->last);
}

void watch_fini(struct watch *watch)
{
	buf_fini(&watch->last);
}

void watch_begin(struct router *router, struct link_peer *home)
{
	Link__Watch message = LINK__WATCH__INIT;

	if (!hub_users_wanted(router->hubs))
		return;
	message.after = link_bytes(buf_slice(&router->watch.last));
	router->metrics.watch_total++;
	if (link_send_watch(home, &message, NULL) != OK)
		replicas_resync(&router->presence);
}

/* What two replicas say, while one does not know yet that it is the home no more, or
 * what one says again. */
static bool is_said_before(const struct watch *watch, struct slice id)
{
	return id.len == watch->last.len &&
	       slice_compare(id, buf_slice(&watch->last)) <= 0;
}

static void take(struct watch *watch, struct slice id)
{
	buf_clear(&watch->last);
	buf_append_slice(&watch->last, id);
}

static void on_reset(struct router *router, const struct link_peer *presence,
		     struct slice id)
{
	router->metrics.user_reset_total++;
	log_warn("watch.reset", "peer=%s", link_peer_name(presence));
	take(&router->watch, id);
}

void watch_on_change(struct router *router, const struct link_peer *presence,
		     const Link__UserChange *change)
{
	const struct slice id = link_slice(change->id);

	router->metrics.user_change_total++;
	if (presence != replicas_home(&router->presence))
		return;
	if (change->change == LINK__CHANGE__CHANGE_RESET) {
		on_reset(router, presence, id);
		return;
	}
	if (is_said_before(&router->watch, id)) {
		router->metrics.user_change_repeated_total++;
		return;
	}
	take(&router->watch, id);
	if (change->change == LINK__CHANGE__CHANGE_ONLINE ||
	    change->change == LINK__CHANGE__CHANGE_OFFLINE)
		hub_user_changed(router, change->change == LINK__CHANGE__CHANGE_ONLINE,
				 link_slice(change->user_id),
				 link_slice(change->user_name));
}
