/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map, what is wanted, and who is waited for: what this replica knows of it, which is
 * what the one that leads knows but for moments.
 */
#include "presence/resharding_json.h"

#include "presence/admin_json.h"
#include "presence/json_put.h"
#include "presence/presence.h"

static bool lives(const struct plan_view *view, const char *router)
{
	for (size_t i = 0; i < view->members_n; i++) {
		if (view->members[i].is_router &&
		    strcmp(view->members[i].name, router) == 0)
			return true;
	}
	return false;
}

static void put_list(struct buf *out, const char *key, const char *text,
		     const struct plan_view *view)
{
	struct shards list = { 0 };

	json_put_open(out, key, '[');
	if (text[0] != '\0' && shards_parse(&list, text) == OK) {
		for (size_t i = 0; i < list.n; i++) {
			const struct shard *shard = &list.items[i];

			json_put_open(out, NULL, '{');
			json_put_text(out, "name", slice_from_str(shard->name));
			json_put_text(out, "url", slice_from_str(shard->url));
			json_put_bool(out, "isHere", lives(view, shard->name));
			buf_append_byte(out, '}');
		}
	}
	shards_fini(&list);
	buf_append_byte(out, ']');
}

static void put_waiting(struct buf *out, const char *role, const char *name,
			const char *why)
{
	json_put_open(out, NULL, '{');
	json_put_text(out, "role", slice_from_str(role));
	json_put_text(out, "name", slice_from_str(name));
	json_put_text(out, "why", slice_from_str(why));
	buf_append_byte(out, '}');
}

/* Processes that have something to do or to say, and routers that are not here. */
static void put_waiting_for(struct buf *out, const struct plan_view *view)
{
	struct shards list = { 0 };

	json_put_open(out, "waitingFor", '[');
	for (size_t i = 0; i < view->members_n; i++) {
		const struct plan_member *member = &view->members[i];

		if (plan_waits_for(view, member))
			put_waiting(out, member->is_router ? "router" : "gateway",
				    member->name, member->has_told ? "doing" : "untold");
	}
	if (view->target[0] != '\0' && shards_parse(&list, view->target) == OK) {
		for (size_t i = 0; i < list.n; i++) {
			if (!lives(view, list.items[i].name))
				put_waiting(out, "router", list.items[i].name, "absent");
		}
	}
	shards_fini(&list);
	buf_append_byte(out, ']');
}

static void put_leader(struct buf *out, const struct resharding *resharding)
{
	struct slice leader = buf_slice(&resharding->leader);

	json_put_text(out, "leader", slice_cut(&leader, ' '));
	json_put_bool(out, "isLeader", resharding_is_leader(resharding));
}

static void put_target(struct buf *out, const struct resharding *resharding)
{
	const char *target = resharding_target(resharding);
	const char *from = "api";

	if (resharding_is_option(resharding))
		from = "option";
	else if (target[0] == '\0')
		from = "none";
	json_put_text(out, "target", slice_from_str(target));
	json_put_text(out, "targetFrom", slice_from_str(from));
}

void resharding_json(struct buf *out, const char *key,
		     const struct resharding *resharding)
{
	const struct shard_map *map = &resharding->map;
	const struct presence *presence = resharding->presence;
	const int64_t ago_ms = loop_now_ms(presence->loop) - resharding->since_ms;
	struct resharding_view view;
	struct plan plan;

	resharding_view_init(&view, resharding);
	plan_make(&view.view, &plan);
	json_put_open(out, key, '{');
	json_put_count(out, "epoch", map->epoch);
	json_put_text(out, "phase", slice_from_str(shard_phase_name(map->phase)));
	json_put_time(out, "since", loop_unix_ms(presence->loop) - ago_ms);
	json_put_text(out, "list", slice_from_str(map->routers));
	put_list(out, "routers", map->routers, &view.view);
	put_list(out, "next", map->next, &view.view);
	put_target(out, resharding);
	json_put_text(out, "state", slice_from_str(plan_state_name(plan.state)));
	put_waiting_for(out, &view.view);
	put_leader(out, resharding);
	json_put_bool(out, "isSettled", presence_is_settled(presence));
	buf_append_byte(out, '}');
	resharding_view_fini(&view);
}
