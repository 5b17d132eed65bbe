/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Becoming the home is one act: Lease with is_home, then all that the owner tells. When
 * the link has just come up with nothing of ours, it happens inside of its on_up;
 * otherwise on a link that stays up, which takes the replay beyond its window.
 *
 * Who stops being the home is told so by a Lease. One that is down has what still waits
 * for it thrown away: it would come too late to be true.
 */
#include "proto/link/replicas.h"

#include <assert.h>

#include "proto/base/log.h"
#include "proto/base/loop.h"
#include "proto/base/mem.h"
#include "proto/base/proc.h"

static void on_lease_timer(struct timer *timer);
static void on_home_timer(struct timer *timer);
static void on_report_timer(struct timer *timer);

/* ---- life */

void replicas_init(struct replicas *replicas, struct loop *loop, int64_t lease_ms,
		   struct replicas_stats *stats, const struct replicas_ops *ops,
		   void *owner)
{
	*replicas = (struct replicas){
		.loop = loop,
		.lease_ms = lease_ms,
		.ops = ops,
		.owner = owner,
		.stats = stats,
		.started_unix_ms = loop_unix_ms(loop),
	};
	timer_init(&replicas->lease_timer, on_lease_timer);
	timer_init(&replicas->home_timer, on_home_timer);
	timer_init(&replicas->report_timer, on_report_timer);
}

void replicas_open(struct replicas *replicas, struct link *link, struct slice own_name,
		   const char *list)
{
	if (list[0] == '\0')
		return;
	if (shards_parse(&replicas->list, list) != OK)
		fatal("presence = %s: not a list of name=url", list);
	replicas->link = link;
	home_choice_init(&replicas->choice, own_name, &replicas->list,
			 loop_now_ms(replicas->loop));
	replicas->peers = mem_alloc(replicas->list.n * sizeof(struct link_peer *));
	for (size_t i = 0; i < replicas->list.n; i++)
		replicas->peers[i] = link_dial(link, LINK__ROLE__ROLE_PRESENCE,
					       replicas->list.items[i].name,
					       replicas->list.items[i].url);
	loop_timer_start(replicas->loop, &replicas->lease_timer, replicas->lease_ms / 3);
	loop_timer_start(replicas->loop, &replicas->report_timer, REPLICAS_REPORT_MS);
}

void replicas_fini(struct replicas *replicas)
{
	loop_timer_stop(replicas->loop, &replicas->lease_timer);
	loop_timer_stop(replicas->loop, &replicas->home_timer);
	loop_timer_stop(replicas->loop, &replicas->report_timer);
	mem_free(replicas->peers);
	home_choice_fini(&replicas->choice);
	shards_fini(&replicas->list);
}

struct link_peer *replicas_home(const struct replicas *replicas)
{
	const ptrdiff_t i =
		replicas->list.n > 0 ? home_choice_index(&replicas->choice) : -1;

	return i < 0 ? NULL : replicas->peers[i];
}

void replicas_resync(struct replicas *replicas)
{
	struct link_peer *home = replicas_home(replicas);

	assert(home != NULL);
	replicas->stats->home_resync_total++;
	log_warn("presence.resync", "peer=%s", link_peer_name(home));
	link_peer_reset(home);
}

/* ---- lease */

static enum err lease_send(struct replicas *replicas, struct link_peer *peer)
{
	Link__Lease lease = LINK__LEASE__INIT;
	enum err rc;

	replicas->ops->fill_lease(replicas->owner, &lease);
	lease.is_last = replicas->is_leaving;
	lease.lease_ms = lease.is_last ? 1 : replicas->lease_ms;
	lease.is_home = peer == replicas_home(replicas);
	rc = link_send_lease(peer, &lease, NULL);
	if (rc != OK)
		replicas->stats->lease_refused_total++;
	return rc;
}

static void lease_send_all(struct replicas *replicas)
{
	for (size_t i = 0; i < replicas->list.n; i++) {
		struct link_peer *peer = replicas->peers[i];

		if (link_peer_is_up(peer) && lease_send(replicas, peer) != OK &&
		    peer == replicas_home(replicas))
			replicas_resync(replicas);
	}
}

static void on_lease_timer(struct timer *timer)
{
	struct replicas *replicas = CONTAINER_OF(timer, struct replicas, lease_timer);

	lease_send_all(replicas);
	loop_timer_start(replicas->loop, timer, replicas->lease_ms / 3);
}

void replicas_leave(struct replicas *replicas)
{
	replicas->is_leaving = true;
	lease_send_all(replicas);
}

/* ---- report */

static void fill_links(const struct replicas *replicas, Link__Report *report,
		       struct arena *arena)
{
	struct link_peer *peer = NULL;
	size_t n = 0;

	while ((peer = link_peer_next(replicas->link, peer)) != NULL)
		n++;
	report->links = arena_alloc(arena, n * sizeof(Link__LinkState *));
	while ((peer = link_peer_next(replicas->link, peer)) != NULL) {
		Link__LinkState *state = ARENA_NEW(arena, Link__LinkState);

		link__link_state__init(state);
		state->role = link_peer_role(peer);
		state->name = link_bytes(slice_from_str(link_peer_name(peer)));
		state->is_up = link_peer_is_up(peer);
		state->waiting_bytes = (int64_t)link_peer_waiting_bytes(peer);
		report->links[report->n_links++] = state;
	}
}

static void report_send(struct replicas *replicas, struct link_peer *peer,
			const Link__Report *report)
{
	if (!link_peer_is_up(peer))
		return;
	if (link_peer_waiting_bytes(peer) <= REPLICAS_REPORT_BYTES_MAX &&
	    link_send_report(peer, report, NULL) == OK)
		replicas->stats->report_total++;
	else
		replicas->stats->report_refused_total++;
}

static void on_report_timer(struct timer *timer)
{
	struct replicas *replicas = CONTAINER_OF(timer, struct replicas, report_timer);
	Link__Report report = LINK__REPORT__INIT;
	struct arena arena = ARENA_INIT;

	report.started_unix_ms = replicas->started_unix_ms;
	report.memory_bytes = (int64_t)mem_used_bytes();
	report.cpu_us_total = proc_cpu_us();
	fill_links(replicas, &report, &arena);
	replicas->ops->fill_report(replicas->owner, &report, &arena);
	for (size_t i = 0; i < replicas->list.n; i++)
		report_send(replicas, replicas->peers[i], &report);
	arena_fini(&arena);
	loop_timer_start(replicas->loop, timer, REPLICAS_REPORT_MS);
}

/* ---- the home */

static void home_watch(struct replicas *replicas)
{
	const int64_t now_ms = loop_now_ms(replicas->loop);
	const int64_t due_ms = home_choice_due_ms(&replicas->choice);

	if (due_ms < 0)
		loop_timer_stop(replicas->loop, &replicas->home_timer);
	else
		loop_timer_start(replicas->loop, &replicas->home_timer,
				 due_ms > now_ms ? due_ms - now_ms : 0);
}

/* One that is too far behind to be told starts over, and is told then. */
static void home_leave(struct replicas *replicas, struct link_peer *was)
{
	if (!link_peer_is_up(was) || lease_send(replicas, was) != OK)
		link_peer_reset(was);
}

/* What a peer that has nothing of ours, or is told everything, hears first. */
static void lease_first(struct replicas *replicas, struct link_peer *peer)
{
	const enum err rc = lease_send(replicas, peer);

	assert(rc == OK); /* no window holds back a replay */
	if (peer == replicas_home(replicas))
		replicas->ops->tell_home(replicas->owner, peer);
}

/* `fresh`: it is coming up with nothing of ours; NULL: nobody is. */
static void home_settle(struct replicas *replicas, struct link_peer *fresh)
{
	struct link_peer *was = replicas_home(replicas);
	struct link_peer *home;

	if (home_choice_make(&replicas->choice, loop_now_ms(replicas->loop))) {
		home = replicas_home(replicas);
		replicas->stats->home_total += home != NULL;
		log_info("presence.home", "peer=%s",
			 home != NULL ? link_peer_name(home) : "none");
		if (was != NULL)
			home_leave(replicas, was);
		if (home != NULL && home != fresh) {
			link_peer_replay(home, true);
			lease_first(replicas, home);
			link_peer_replay(home, false);
		}
	}
	if (fresh != NULL)
		lease_first(replicas, fresh);
	home_watch(replicas);
}

static void on_home_timer(struct timer *timer)
{
	home_settle(CONTAINER_OF(timer, struct replicas, home_timer), NULL);
}

/* ---- from the link */

static size_t index_of(const struct replicas *replicas, const struct link_peer *peer)
{
	size_t i = 0;

	while (i < replicas->list.n && replicas->peers[i] != peer)
		i++;
	assert(i < replicas->list.n);
	return i;
}

static void up_count(struct replicas *replicas)
{
	replicas->stats->presence_up = 0;
	for (size_t i = 0; i < replicas->list.n; i++)
		replicas->stats->presence_up += link_peer_is_up(replicas->peers[i]);
}

void replicas_on_up(struct replicas *replicas, struct link_peer *peer, bool is_new)
{
	home_choice_set(&replicas->choice, index_of(replicas, peer), true,
			loop_now_ms(replicas->loop));
	up_count(replicas);
	home_settle(replicas, is_new ? peer : NULL);
}

void replicas_on_down(struct replicas *replicas, const struct link_peer *peer)
{
	home_choice_set(&replicas->choice, index_of(replicas, peer), false,
			loop_now_ms(replicas->loop));
	up_count(replicas);
	home_watch(replicas);
}
