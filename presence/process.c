/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One timer for all leases, set to the one that ends first. When it comes much too late,
 * it was us who stood still, which proves nothing about others: their word may be waiting
 * in our sockets, so everyone gets a whole lease more.
 */
#include "presence/process.h"

#include <assert.h>
#include <inttypes.h>

#include "presence/presence.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

#define STALL_MS 1000

/* When we were away, not they: time to read what waits, and for links to be dialed again.
 */
#define SECOND_LOOK_MS 500

_Static_assert(LEASE_NAME_MAX == LINK_NAME_MAX, "a lease has room for a peer's name");
_Static_assert(SESSION_GATEWAY_NAME_MAX == LINK_NAME_MAX, "a gateway's, too");

static void processes_watch(struct processes *processes)
{
	struct loop *loop = processes->presence->loop;
	const int64_t now_ms = loop_now_ms(loop);
	const int64_t due_ms = leases_due_ms(&processes->leases);

	if (processes->is_second_look)
		return;
	if (due_ms < 0) {
		loop_timer_stop(loop, &processes->timer);
		return;
	}
	/* An overdue timer runs in this turn and measures how long we stood still. */
	if (timer_is_running(&processes->timer) && processes->due_ms < now_ms)
		return;
	processes->due_ms = due_ms > now_ms ? due_ms : now_ms;
	loop_timer_start(loop, &processes->timer, processes->due_ms - now_ms);
}

static void process_expire(struct processes *processes, struct process *process)
{
	struct link_peer *peer = process->peer;

	if (!process->is_leaving) {
		processes->presence->metrics.lease_expired_total++;
		log_warn("lease.expired", "peer=%s lease_ms=%" PRId64,
			 process->lease.name, process->lease.lease_ms);
	}
	process_lost(processes, process);
	link_peer_reset(peer);
}

static void on_timer(struct timer *timer)
{
	struct processes *processes = CONTAINER_OF(timer, struct processes, timer);
	struct presence *presence = processes->presence;
	const int64_t now_ms = loop_now_ms(presence->loop);
	const int64_t late_ms = now_ms - processes->due_ms;
	struct lease *lease;

	if (late_ms > STALL_MS) {
		presence->metrics.stalled_total++;
		log_warn("presence.stalled", "late_ms=%" PRId64, late_ms);
		leases_forgive(&processes->leases, now_ms);
		upkeep_stalled(&presence->upkeep);
	} else if (!processes->is_second_look &&
		   leases_expired(&processes->leases, now_ms) != NULL) {
		processes->is_second_look = true;
		processes->due_ms = now_ms + SECOND_LOOK_MS;
		loop_timer_start(presence->loop, timer, SECOND_LOOK_MS);
		return;
	}
	processes->is_second_look = false;
	while ((lease = leases_expired(&processes->leases, now_ms)) != NULL)
		process_expire(processes, CONTAINER_OF(lease, struct process, lease));
	processes_watch(processes);
}

void processes_init(struct processes *processes, struct presence *presence)
{
	*processes = (struct processes){ .presence = presence };
	leases_init(&processes->leases);
	timer_init(&processes->timer, on_timer);
}

static void process_free(struct processes *processes, struct process *process)
{
	home_leave(&process->home);
	follower_end(process);
	leases_remove(&processes->leases, &process->lease);
	link_peer_set_owner(process->peer, NULL);
	report_fini(&process->report);
	resharding_forget(&processes->presence->resharding, process);
	mem_free(process);
}

void processes_fini(struct processes *processes)
{
	loop_timer_stop(processes->presence->loop, &processes->timer);
	LIST_EACH (node, &processes->leases.all) {
		struct lease *lease = CONTAINER_OF(node, struct lease, node);

		process_free(processes, CONTAINER_OF(lease, struct process, lease));
	}
}

struct process *process_of(const struct link_peer *peer)
{
	return link_peer_owner(peer);
}

void process_new(struct processes *processes, struct link_peer *peer)
{
	struct presence *presence = processes->presence;
	struct process *process = MEM_NEW(struct process);

	assert(process_of(peer) == NULL);
	process->peer = peer;
	report_init(&process->report);
	home_init(&process->home);
	lease_init(&process->lease, (int)link_peer_role(peer),
		   slice_from_str(link_peer_name(peer)), link_peer_incarnation(peer));
	leases_add(&processes->leases, &process->lease, presence->conf->link.lease_ms,
		   loop_now_ms(presence->loop));
	link_peer_set_owner(peer, process);
	log_info("process.new", "peer=%s incarnation=%016" PRIx64, process->lease.name,
		 process->lease.incarnation);
	topology_changed(&presence->topology);
	processes_watch(processes);
}

void process_lost(struct processes *processes, struct process *process)
{
	struct presence *presence = processes->presence;

	if (process->is_leaving) {
		log_info("process.left", "peer=%s incarnation=%016" PRIx64,
			 process->lease.name, process->lease.incarnation);
	} else {
		presence->metrics.process_lost_total++;
		log_warn("process.lost", "peer=%s incarnation=%016" PRIx64,
			 process->lease.name, process->lease.incarnation);
	}
	home_lost(process);
	process_free(processes, process);
	topology_changed(&presence->topology);
	processes_watch(processes);
}

void process_renew(struct processes *processes, struct process *process,
		   const Link__Lease *lease)
{
	const int64_t now_ms = loop_now_ms(processes->presence->loop);

	if (lease == NULL) {
		lease_touch(&process->lease, now_ms);
	} else {
		processes->presence->metrics.lease_total++;
		process->is_leaving = lease->is_last;
		lease_renew(&process->lease, lease->lease_ms, lease->connections, now_ms);
	}
	processes_watch(processes);
}

void process_report(struct processes *processes, struct process *process,
		    const Link__Report *said)
{
	struct presence *presence = processes->presence;

	presence->metrics.report_total++;
	presence->metrics.report_cut_total +=
		report_take(&process->report, said, loop_now_ms(presence->loop));
}

struct session_gateway_id process_gateway_id(const struct process *process)
{
	return (struct session_gateway_id){
		.name = slice_from_str(process->lease.name),
		.incarnation = process->lease.incarnation,
	};
}
