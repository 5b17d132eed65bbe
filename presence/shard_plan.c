/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A function of the view for each phase. Forward is always allowed once all who live have
 * done what the phase asks; back only from PREPARE, while no sender goes by the new list.
 */
#include "presence/shard_plan.h"

#include "proto/base/mem.h"
#include "proto/link/pipe_open.h"

/* ---- lists */

static enum err list_parse(struct shards *list, const char *text)
{
	*list = (struct shards){ 0 };
	if (strlen(text) > SHARD_MAP_TEXT_MAX)
		return ERR_LIMIT;
	return shards_parse(list, text);
}

bool plan_is_same_list(const char *a, const char *b)
{
	struct shards left;
	struct shards right = { 0 };
	bool is_same;

	if (strcmp(a, b) == 0)
		return a[0] != '\0';
	is_same = list_parse(&left, a) == OK && list_parse(&right, b) == OK &&
		  left.n == right.n;
	for (size_t i = 0; is_same && i < left.n; i++)
		is_same = strcmp(left.items[i].name, right.items[i].name) == 0 &&
			  strcmp(left.items[i].url, right.items[i].url) == 0;
	shards_fini(&left);
	shards_fini(&right);
	return is_same;
}

enum err plan_check(const struct shard_map *map, const char *target)
{
	struct shards wanted;
	struct shards now = { 0 };
	enum err rc = list_parse(&wanted, target);
	size_t n = wanted.n;

	for (size_t i = 0; rc == OK && i < wanted.n; i++) {
		if (!pipe_url_is_known(wanted.items[i].url))
			rc = ERR_MALFORMED;
	}
	if (rc == OK && map->routers[0] != '\0')
		rc = list_parse(&now, map->routers);
	for (size_t i = 0; rc == OK && i < now.n; i++) {
		const ptrdiff_t at =
			shards_find(&wanted, slice_from_str(now.items[i].name));

		if (at < 0)
			n++;
		else if (strcmp(wanted.items[at].url, now.items[i].url) != 0)
			rc = ERR_ARGUMENT;
	}
	if (rc == OK && n > RING_MEMBERS_MAX)
		rc = ERR_LIMIT;
	shards_fini(&wanted);
	shards_fini(&now);
	return rc;
}

/* ---- members */

static bool member_is_done(const struct plan_view *view, const struct plan_member *member)
{
	return member->has_told && member->epoch == view->map->epoch &&
	       member->phase == view->map->phase && member->is_done;
}

bool plan_waits_for(const struct plan_view *view, const struct plan_member *member)
{
	return !member->has_told ||
	       (view->map->epoch > 0 && !member_is_done(view, member));
}

static bool member_lives(const struct plan_view *view, const char *router)
{
	for (size_t i = 0; i < view->members_n; i++) {
		const struct plan_member *member = &view->members[i];

		if (member->is_router && strcmp(member->name, router) == 0)
			return true;
	}
	return false;
}

static void plan_wait(struct plan *plan, enum plan_state state, const char *who)
{
	plan->state = state;
	plan->who = slice_from_str(who);
}

/* True: somebody is waited for, and the plan says so. */
static bool plan_waits(const struct plan_view *view, struct plan *plan)
{
	for (size_t i = 0; i < view->members_n; i++) {
		const struct plan_member *member = &view->members[i];

		if (!member->has_told) {
			plan_wait(plan, PLAN_UNTOLD, member->name);
			return true;
		}
		if (shard_map_is_before(view->map, member->epoch, member->phase)) {
			plan_wait(plan, PLAN_BEHIND, member->name);
			return true;
		}
	}
	for (size_t i = 0; i < view->members_n; i++) {
		const struct plan_member *member = &view->members[i];

		if (plan_waits_for(view, member)) {
			plan_wait(plan, PLAN_DOING, member->name);
			return true;
		}
	}
	/* A cluster of nobody has done nothing. */
	if (view->members_n == 0)
		plan_wait(plan, PLAN_DOING, "");
	return view->members_n == 0;
}

/* True: one of the list's routers does not live, and the plan says so. */
static bool plan_misses(const struct plan_view *view, const char *list, struct plan *plan)
{
	struct shards wanted;
	bool is_missing = list_parse(&wanted, list) != OK;

	for (size_t i = 0; !is_missing && i < wanted.n; i++) {
		const struct slice name = slice_from_str(wanted.items[i].name);

		is_missing = !member_lives(view, wanted.items[i].name);
		if (is_missing) {
			memcpy(plan->name, name.ptr, name.len);
			plan->state = PLAN_ABSENT;
			plan->who = slice_make(plan->name, name.len);
		}
	}
	shards_fini(&wanted);
	return is_missing;
}

/* ---- phases */

static void plan_step(struct plan *plan, uint64_t epoch, enum shard_phase phase,
		      const char *routers, const char *next)
{
	plan->state = PLAN_STEP;
	plan->next = (struct shard_offer){
		.epoch = epoch,
		.phase = phase,
		.routers = slice_from_str(routers),
		.next = slice_from_str(next),
	};
}

/* The list that more than half were given, or NULL: whoever survives being paired off
 * with those who were given others is the only one it can be. */
static const char *list_of_most(const struct plan_view *view)
{
	const char *list = NULL;
	size_t n = 0;

	for (size_t i = 0; i < view->members_n; i++) {
		const char *given = view->members[i].routers;

		if (n == 0)
			list = given;
		n += n == 0 || plan_is_same_list(given, list) ? 1 : (size_t)-1;
	}
	n = 0;
	for (size_t i = 0; i < view->members_n; i++)
		n += plan_is_same_list(view->members[i].routers, list);
	return n * 2 > view->members_n ? list : NULL;
}

/* Each process began with the list that it was given, which may be an old or a coming
 * one: from now on all go by that of most of them; if there is none, by what is wanted.
 */
static void plan_agree(const struct plan_view *view, struct plan *plan)
{
	const char *list;

	if (view->members_n == 0 || plan_waits(view, plan))
		return;
	list = list_of_most(view);
	if (list == NULL)
		list = view->target;
	if (list[0] == '\0')
		plan_wait(plan, PLAN_DISAGREED, view->members[0].name);
	else if (list == view->target && plan_check(view->map, list) != OK)
		plan->state = PLAN_REFUSED;
	else if (list != view->target || !plan_misses(view, list, plan))
		plan_step(plan, view->epoch_kept + 1, SHARD_PHASE_STABLE, list, "");
}

/* Whoever has not forgotten what is over. One who never tells is no concern of it. */
static void plan_rest(const struct plan_view *view, struct plan *plan)
{
	for (size_t i = 0; i < view->members_n; i++) {
		const struct plan_member *member = &view->members[i];

		if (!member->has_told || !plan_waits_for(view, member))
			continue;
		plan_wait(plan, PLAN_DOING, member->name);
		return;
	}
}

static void plan_begin(const struct plan_view *view, struct plan *plan)
{
	const struct shard_map *map = view->map;

	if (view->target[0] == '\0' || plan_is_same_list(view->target, map->routers))
		plan_rest(view, plan);
	else if (plan_check(map, view->target) != OK)
		plan->state = PLAN_REFUSED;
	else if (plan_misses(view, view->target, plan) || plan_waits(view, plan))
		return;
	else if (view->now_ms < view->retry_ms)
		plan->state = PLAN_PAUSED;
	else
		plan_step(plan, map->epoch + 1, SHARD_PHASE_PREPARE, map->routers,
			  view->target);
}

static void plan_give_up(const struct plan_view *view, struct plan *plan)
{
	plan_step(plan, view->map->epoch + 1, SHARD_PHASE_STABLE, view->map->routers, "");
	plan->is_given_up = true;
}

/* Routers that go may be dead already: that may be why they go. */
static void plan_prepared(const struct plan_view *view, struct plan *plan)
{
	const struct shard_map *map = view->map;
	const bool is_wanted =
		view->target[0] == '\0' || plan_is_same_list(view->target, map->next);

	if (!is_wanted) {
		plan_give_up(view, plan);
	} else if (!plan_waits(view, plan) && !plan_misses(view, map->next, plan)) {
		plan_step(plan, map->epoch, SHARD_PHASE_COMMIT, map->routers, map->next);
	} else if (view->now_ms - view->since_ms >= view->prepare_ms) {
		plan_give_up(view, plan);
		plan->is_late = true;
	}
}

void plan_make(const struct plan_view *view, struct plan *plan)
{
	const struct shard_map *map = view->map;

	*plan = (struct plan){ .state = PLAN_REST };
	if (map->epoch == 0) {
		plan_agree(view, plan);
		return;
	}
	switch (map->phase) {
	case SHARD_PHASE_PREPARE:
		plan_prepared(view, plan);
		break;
	case SHARD_PHASE_COMMIT:
		if (!plan_waits(view, plan))
			plan_step(plan, map->epoch, SHARD_PHASE_STABLE, map->next, "");
		break;
	case SHARD_PHASE_STABLE:
		plan_begin(view, plan);
		break;
	case SHARD_PHASE_NONE:
		break;
	}
}

const char *plan_state_name(enum plan_state state)
{
	static const char *const names[] = {
		[PLAN_REST] = "rest",		[PLAN_STEP] = "step",
		[PLAN_DOING] = "doing",		[PLAN_UNTOLD] = "untold",
		[PLAN_BEHIND] = "behind",	[PLAN_ABSENT] = "absent",
		[PLAN_DISAGREED] = "disagreed", [PLAN_PAUSED] = "paused",
		[PLAN_REFUSED] = "refused",
	};

	return names[state];
}
