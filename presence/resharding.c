/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three things go round. The store is asked each second, and when a map came: that renews
 * the lease, or takes it, and tells what the others know. What processes say is looked at
 * at the end of the turn, and by the leader made into the next map. A map that is new to
 * us, whoever made it, is told to everybody.
 */
#include "presence/resharding.h"

#include <assert.h>
#include <inttypes.h>

#include "presence/online.h"
#include "presence/presence.h"
#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

#define ASK_INTERVAL_MS 1000

/* The log tells of what is waited for when it takes longer than usual. */
#define WAITING_LOG_MS 5000

/* ---- what is wanted, and who leads */

bool resharding_is_option(const struct resharding *resharding)
{
	const char *option = resharding->presence->conf->routers;

	return option != NULL && option[0] != '\0';
}

const char *resharding_target(const struct resharding *resharding)
{
	if (resharding_is_option(resharding))
		return resharding->presence->conf->routers;
	return resharding->wanted.len > 0 ? resharding->wanted.ptr : "";
}

bool resharding_is_leader(const struct resharding *resharding)
{
	return slice_equal(buf_slice(&resharding->leader), buf_slice(&resharding->self));
}

static void buf_set(struct buf *buf, struct slice text)
{
	buf_clear(buf);
	buf_append_slice(buf, text);
}

/* ---- what everybody goes by */

static struct process *process_at(struct list *node)
{
	struct lease *lease = CONTAINER_OF(node, struct lease, node);

	return CONTAINER_OF(lease, struct process, lease);
}

bool resharding_is_begun(const struct resharding *resharding)
{
	LIST_EACH (node, &resharding->presence->processes.leases.all) {
		if (process_at(node)->shards.epoch > 0)
			return true;
	}
	return resharding->map.epoch > 0;
}

/* An older peer hears nothing of it. */
static void tell(struct resharding *resharding, struct process *process)
{
	struct presence_metrics *metrics = &resharding->presence->metrics;
	Link__Shards message = LINK__SHARDS__INIT;
	enum err rc;

	if (resharding->map.epoch == 0 || !link_peer_is_up(process->peer) ||
	    process->shards.version == resharding->version)
		return;
	message.epoch = resharding->map.epoch;
	message.phase = (Link__ShardPhase)resharding->map.phase;
	message.routers = link_bytes(slice_from_str(resharding->map.routers));
	message.next = link_bytes(slice_from_str(resharding->map.next));
	message.is_done = true;
	rc = link_send_shards(process->peer, &message, NULL);
	if (rc == OK)
		metrics->shards_told_total++;
	if (rc == OK || rc == ERR_UNSUPPORTED)
		process->shards.version = resharding->version;
}

/* A link without room is tried again with the next look. */
static void tell_all(struct resharding *resharding)
{
	LIST_EACH (node, &resharding->presence->processes.leases.all)
		tell(resharding, process_at(node));
}

static void log_map(const struct shard_map *map, const char *by)
{
	const struct log_quoted routers = log_quote(slice_from_str(map->routers));
	const struct log_quoted next = log_quote(slice_from_str(map->next));

	switch (map->phase) {
	case SHARD_PHASE_PREPARE:
		log_info("shards.prepare", "epoch=%" PRIu64 " by=%s routers=%s next=%s",
			 map->epoch, by, routers.text, next.text);
		break;
	case SHARD_PHASE_COMMIT:
		log_info("shards.commit", "epoch=%" PRIu64 " by=%s routers=%s next=%s",
			 map->epoch, by, routers.text, next.text);
		break;
	case SHARD_PHASE_STABLE:
	case SHARD_PHASE_NONE:
		log_info("shards.stable", "epoch=%" PRIu64 " by=%s routers=%s",
			 map->epoch, by, routers.text);
		break;
	}
}

/* True: it is ours now. */
static bool take(struct resharding *resharding, const struct shard_offer *offer,
		 const char *by)
{
	enum shard_verdict verdict = SHARD_OLD;

	if (shard_map_take(&resharding->map, offer, &verdict) != OK) {
		resharding->presence->metrics.shards_malformed_total++;
		log_warn("shards.malformed", "by=%s epoch=%" PRIu64, by, offer->epoch);
		return false;
	}
	if (verdict == SHARD_OLD)
		return false;
	resharding->version++;
	resharding->since_ms = loop_now_ms(resharding->presence->loop);
	log_map(&resharding->map, by);
	tell_all(resharding);
	resharding_look(resharding);
	return true;
}

/* ---- the view */

void resharding_view_init(struct resharding_view *view,
			  const struct resharding *resharding)
{
	const struct presence *presence = resharding->presence;
	const struct leases *leases = &presence->processes.leases;
	size_t n = 0;

	view->members = mem_zalloc((leases->n + 1) * sizeof(*view->members));
	LIST_EACH (node, &leases->all) {
		const struct process *process = process_at(node);
		const struct resharding_said *said = &process->shards;

		view->members[n++] = (struct plan_member){
			.name = process->lease.name,
			.is_router = process->lease.role == LINK__ROLE__ROLE_ROUTER,
			.has_told = said->has_told,
			.is_done = said->is_done,
			.epoch = said->epoch,
			.phase = said->phase,
			.routers = said->routers != NULL ? said->routers : "",
		};
	}
	view->view = (struct plan_view){
		.map = &resharding->map,
		.members = view->members,
		.members_n = n,
		.target = resharding_target(resharding),
		.epoch_kept = resharding->kept_epoch,
		.now_ms = loop_now_ms(presence->loop),
		.since_ms = resharding->since_ms,
		.prepare_ms = presence->conf->reshard_timeout_ms,
		.retry_ms = resharding->retry_ms,
	};
}

void resharding_view_fini(struct resharding_view *view)
{
	mem_free(view->members);
}

/* ---- making maps */

/* What we want outlives the option, for whoever takes it away. */
static void on_aimed(struct store_call *call, const struct store_answer *answer)
{
	struct resharding *resharding = CONTAINER_OF(call, struct resharding, aim_call);

	resharding->is_aiming = false;
	if (answer->rc != OK && answer->rc != ERR_CLOSED)
		online_failed(resharding->presence, answer->rc);
}

static void aim(struct resharding *resharding, struct slice target)
{
	struct store *store = resharding->presence->store;

	if (resharding->is_aiming)
		return;
	resharding->is_aiming = true;
	store_call_init(&resharding->aim_call, on_aimed);
	store->ops->shards_target(store, target, false, &resharding->aim_call);
}

static void on_stepped(struct store_call *call, const struct store_answer *answer)
{
	struct resharding *resharding = CONTAINER_OF(call, struct resharding, step.call);
	struct presence_metrics *metrics = &resharding->presence->metrics;
	struct resharding_step *step = &resharding->step;
	const struct shard_offer offer = {
		.epoch = step->epoch,
		.phase = step->phase,
		.routers = buf_slice(&step->routers),
		.next = buf_slice(&step->next),
	};

	step->is_under_way = false;
	if (answer->rc == ERR_CLOSED)
		return;
	if (answer->rc != OK) {
		metrics->shards_overtaken_total++;
		if (answer->rc != ERR_EXISTS)
			online_failed(resharding->presence, answer->rc);
		return; /* the next question tells how things stand */
	}
	metrics->shards_steps_total++;
	resharding->kept_epoch = offer.epoch;
	resharding->kept_phase = offer.phase;
	if (step->is_first)
		buf_clear(&resharding->wanted); /* the store has what is wanted now */
	if (step->is_given_up) {
		metrics->shards_given_up_total++;
		log_warn("shards.given_up", "epoch=%" PRIu64 " for=%s", offer.epoch - 1,
			 log_quote(buf_slice(&resharding->waited_who)).text);
	}
	if (step->is_late)
		resharding->retry_ms = loop_now_ms(resharding->presence->loop) +
				       resharding->presence->conf->reshard_timeout_ms;
	(void)take(resharding, &offer, "us"); /* or a greater one came meanwhile */
	resharding_ask(resharding);
}

static void step_begin(struct resharding *resharding, const struct plan *plan)
{
	struct store *store = resharding->presence->store;
	struct resharding_step *step = &resharding->step;
	const struct store_shards after = {
		.map = { .epoch = resharding->kept_epoch,
			 .phase = resharding->kept_phase },
		.leader = buf_slice(&resharding->self),
		.is_over = !resharding_is_begun(resharding) &&
			   !resharding_is_option(resharding),
	};

	step->is_under_way = true;
	step->epoch = plan->next.epoch;
	step->phase = plan->next.phase;
	buf_set(&step->routers, plan->next.routers);
	buf_set(&step->next, plan->next.next);
	step->is_given_up = plan->is_given_up;
	step->is_late = plan->is_late;
	step->is_first = after.is_over;
	store_call_init(&step->call, on_stepped);
	store->ops->shards_step(store, &after, &plan->next, &step->call);
}

/* One line for each thing that is waited for. */
static void log_waiting(struct resharding *resharding, const struct plan *plan)
{
	const int64_t now_ms = loop_now_ms(resharding->presence->loop);

	if (plan->state != resharding->waited ||
	    !slice_equal(plan->who, buf_slice(&resharding->waited_who))) {
		resharding->waited = plan->state;
		resharding->waited_ms = now_ms;
		resharding->is_logged = false;
		buf_set(&resharding->waited_who, plan->who);
	}
	if (resharding->is_logged || plan->state == PLAN_REST ||
	    plan->state == PLAN_STEP || now_ms - resharding->waited_ms < WAITING_LOG_MS)
		return;
	resharding->is_logged = true;
	log_warn("shards.waiting", "state=%s for=%s epoch=%" PRIu64 " phase=%s",
		 plan_state_name(plan->state), log_quote(plan->who).text,
		 resharding->map.epoch, shard_phase_name(resharding->map.phase));
}

/* The store has the map that we go by; or, at the start, whichever nobody goes by. */
static bool is_level(const struct resharding *resharding)
{
	if (resharding->map.epoch == 0)
		return true;
	return resharding->kept_epoch == resharding->map.epoch &&
	       resharding->kept_phase == resharding->map.phase;
}

static void on_flush(struct loop_flush *flush)
{
	struct resharding *resharding = CONTAINER_OF(flush, struct resharding, flush);
	struct resharding_view view;
	struct plan plan;

	tell_all(resharding);
	if (!resharding_is_leader(resharding) ||
	    !presence_is_settled(resharding->presence) || resharding->step.is_under_way)
		return;
	resharding_view_init(&view, resharding);
	plan_make(&view.view, &plan);
	log_waiting(resharding, &plan);
	if (plan.state == PLAN_STEP && is_level(resharding))
		step_begin(resharding, &plan);
	else if (plan.state == PLAN_STEP)
		resharding_ask(resharding);
	resharding_view_fini(&view);
}

void resharding_look(struct resharding *resharding)
{
	loop_touch(resharding->presence->loop, &resharding->flush);
}

/* ---- the store */

static void aim_at_option(struct resharding *resharding)
{
	const struct slice target = slice_from_str(resharding_target(resharding));

	if (!resharding_is_option(resharding) || !resharding_is_leader(resharding))
		return;
	if (resharding->wanted.len != target.len + 1 ||
	    memcmp(resharding->wanted.ptr, target.ptr, target.len) != 0)
		aim(resharding, target);
}

static void on_asked(struct store_call *call, const struct store_answer *answer)
{
	struct resharding *resharding = CONTAINER_OF(call, struct resharding, ask_call);
	const struct store_shards *shards = answer->shards;
	const bool was_leader = resharding_is_leader(resharding);

	resharding->is_asking = false;
	if (answer->rc == ERR_CLOSED)
		return;
	if (answer->rc != OK) {
		buf_clear(&resharding->leader);
		return;
	}
	buf_set(&resharding->leader, shards->leader);
	buf_set(&resharding->wanted, shards->target);
	if (shards->target.len > 0)
		buf_append_byte(&resharding->wanted, '\0');
	resharding->kept_epoch = shards->map.epoch;
	resharding->kept_phase = shards->map.phase;
	if (resharding_is_begun(resharding) && shards->map.epoch > 0)
		(void)take(resharding, &shards->map, "store"); /* it may be an old one */
	if (resharding_is_leader(resharding) && !was_leader)
		log_info("shards.leader", "epoch=%" PRIu64, resharding->map.epoch);
	aim_at_option(resharding);
	resharding_look(resharding);
}

void resharding_ask(struct resharding *resharding)
{
	struct presence *presence = resharding->presence;
	struct store *store = presence->store;
	const struct shard_map *map = &resharding->map;
	struct store_shards known = {
		.target = slice_from_str(resharding_target(resharding)),
		.leader = buf_slice(&resharding->self),
	};

	if (resharding->is_asking)
		return;
	if (map->epoch > 0)
		known.map = (struct shard_offer){
			.epoch = map->epoch,
			.phase = map->phase,
			.routers = slice_from_str(map->routers),
			.next = slice_from_str(map->next),
		};
	resharding->is_asking = true;
	store_call_init(&resharding->ask_call, on_asked);
	store->ops->shards(store, &known, presence->conf->link.lease_ms,
			   &resharding->ask_call);
}

static void on_timer(struct timer *timer)
{
	struct resharding *resharding = CONTAINER_OF(timer, struct resharding, timer);

	loop_timer_start(resharding->presence->loop, timer, ASK_INTERVAL_MS);
	resharding_ask(resharding);
	resharding_look(resharding);
}

/* ---- what processes say */

void resharding_on_up(struct resharding *resharding, struct process *process)
{
	process->shards.version = 0;
	tell(resharding, process);
	resharding_look(resharding);
}

static char *text_of(ProtobufCBinaryData bytes)
{
	return mem_dup((const char *)bytes.data, bytes.len);
}

void resharding_on_shards(struct resharding *resharding, struct process *process,
			  const Link__Shards *said)
{
	const struct shard_offer offer = {
		.epoch = said->epoch,
		.phase = (enum shard_phase)said->phase,
		.routers = link_slice(said->routers),
		.next = link_slice(said->next),
	};
	struct resharding_said *shards = &process->shards;

	if (offer.routers.len > SHARD_MAP_TEXT_MAX) {
		resharding->presence->metrics.shards_malformed_total++;
		return;
	}
	shards->has_told = true;
	shards->is_done = said->is_done != 0;
	shards->epoch = offer.epoch;
	shards->phase = offer.phase;
	mem_free(shards->routers);
	shards->routers = offer.epoch == 0 ? text_of(said->routers) : NULL;
	if (offer.epoch > 0 && take(resharding, &offer, process->lease.name))
		resharding_ask(resharding);
	resharding_look(resharding);
}

void resharding_forget(struct resharding *resharding, struct process *process)
{
	mem_free(process->shards.routers);
	process->shards.routers = NULL;
	resharding_look(resharding);
}

/* ---- another list */

void resharding_want(struct resharding *resharding, struct slice list)
{
	buf_set(&resharding->wanted, list);
	buf_append_byte(&resharding->wanted, '\0');
	resharding->retry_ms = 0;
	resharding_look(resharding);
}

void resharding_reload(struct resharding *resharding)
{
	resharding->retry_ms = 0;
	aim_at_option(resharding);
	resharding_look(resharding);
}

/* ---- life */

void resharding_init(struct resharding *resharding, struct presence *presence)
{
	*resharding = (struct resharding){ .presence = presence, .version = 1 };
	if (shard_map_init(&resharding->map, "") != OK)
		assert(false); /* a map of no routers is one */
	buf_init(&resharding->wanted);
	buf_init(&resharding->leader);
	buf_init(&resharding->self);
	buf_init(&resharding->step.routers);
	buf_init(&resharding->step.next);
	buf_init(&resharding->waited_who);
	/* Another life of this process leads only when this one's lease is over. */
	buf_appendf(&resharding->self, "%s %016" PRIx64, presence->conf->proc.name,
		    crypto_random_uint64());
	timer_init(&resharding->timer, on_timer);
	loop_flush_init(&resharding->flush, on_flush);
	loop_timer_start(presence->loop, &resharding->timer, 0);
}

void resharding_fini(struct resharding *resharding)
{
	loop_timer_stop(resharding->presence->loop, &resharding->timer);
	loop_untouch(&resharding->flush);
	shard_map_fini(&resharding->map);
	buf_fini(&resharding->wanted);
	buf_fini(&resharding->leader);
	buf_fini(&resharding->self);
	buf_fini(&resharding->step.routers);
	buf_fini(&resharding->step.next);
	buf_fini(&resharding->waited_who);
}
