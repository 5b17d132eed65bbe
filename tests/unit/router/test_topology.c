/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose word about the living gateways and routers counts.
 */
#include "router/topology.h"

#include <criterion/criterion.h>

#include "proto/link/link_private.h"

static struct topology topology;
static struct link_stream stream; /* that a peer has is all that counts */
static struct link_peer p1;
static struct link_peer p2;

static void set_up(void)
{
	topology_init(&topology);
	p1 = (struct link_peer){ .role = LINK__ROLE__ROLE_PRESENCE, .stream = &stream };
	p2 = p1;
}

static void tear_down(void)
{
	topology_fini(&topology);
}

TestSuite(topology, .init = set_up, .fini = tear_down, .timeout = 60);

/* It names a router and these gateways, 0 ending the list early. */
static void say(const struct link_peer *presence, bool is_settled, uint64_t a, uint64_t b)
{
	const uint64_t incarnations[] = { 99, a, b };
	Link__Peer peers[3];
	Link__Peer *pointers[3];
	Link__Topology message = LINK__TOPOLOGY__INIT;

	message.peers = pointers;
	message.is_settled = is_settled;
	for (size_t i = 0; i < 3 && incarnations[i] != 0; i++) {
		link__peer__init(&peers[i]);
		peers[i].role =
			i == 0 ? LINK__ROLE__ROLE_ROUTER : LINK__ROLE__ROLE_GATEWAY;
		peers[i].incarnation = incarnations[i];
		pointers[message.n_peers++] = &peers[i];
	}
	topology_take(&topology, presence, &message);
}

static bool is_named(uint64_t incarnation)
{
	size_t n;
	const uint64_t *named = topology_named(&topology, &n);

	for (size_t i = 0; i < n; i++) {
		if (named[i] == incarnation)
			return true;
	}
	return false;
}

Test(topology, nobody_said_anything)
{
	size_t n;

	(void)topology_named(&topology, &n);
	cr_expect_eq(n, 0);
}

Test(topology, gateways_are_named_and_nobody_else)
{
	say(&p1, true, 1, 2);
	cr_expect(is_named(1));
	cr_expect(is_named(2));
	cr_expect_not(is_named(99));
}

Test(topology, the_last_word_of_a_replica_counts)
{
	say(&p1, true, 1, 2);
	say(&p1, true, 2, 0);
	cr_expect_not(is_named(1));
	cr_expect(is_named(2));
}

Test(topology, one_replica_may_be_cut_off_from_a_gateway)
{
	say(&p1, true, 1, 2);
	say(&p2, true, 1, 0);
	cr_expect(is_named(2));
}

Test(topology, one_that_has_just_started_does_not_count_beside_one_that_settled)
{
	say(&p1, true, 1, 0);
	say(&p2, false, 2, 0);
	cr_expect(is_named(1));
	cr_expect_not(is_named(2));
}

Test(topology, one_that_is_away_does_not_count_beside_one_that_is_here)
{
	say(&p1, true, 1, 0);
	say(&p2, false, 2, 0);
	p1.stream = NULL;
	cr_expect_not(is_named(1));
	cr_expect(is_named(2));
}

Test(topology, when_all_are_away_their_last_word_counts)
{
	say(&p1, true, 1, 0);
	p1.stream = NULL;
	cr_expect(is_named(1));
}

Test(topology, a_replica_without_gateways_names_none)
{
	say(&p1, true, 0, 0);
	cr_expect_not(is_named(99));
}

Test(topology, it_is_settled_when_one_says_so_that_is_here)
{
	cr_expect_not(topology_is_settled(&topology));
	say(&p1, false, 1, 0);
	cr_expect_not(topology_is_settled(&topology));
	say(&p2, true, 0, 0);
	cr_expect(topology_is_settled(&topology));
	p2.stream = NULL;
	cr_expect_not(topology_is_settled(&topology));
}

Test(topology, what_is_forgotten_does_not_count)
{
	say(&p1, true, 1, 2);
	topology_forget(&topology);
	cr_expect_not(is_named(1));
	say(&p1, true, 2, 0);
	cr_expect(is_named(2));
}

/* ---- routers */

static void say_routers(const struct link_peer *presence, bool is_settled, const char *a,
			const char *b)
{
	const char *names[] = { a, b };
	Link__Peer peers[2];
	Link__Peer *pointers[2];
	Link__Topology message = LINK__TOPOLOGY__INIT;

	message.peers = pointers;
	message.is_settled = is_settled;
	for (size_t i = 0; i < 2 && names[i] != NULL; i++) {
		link__peer__init(&peers[i]);
		peers[i].role = LINK__ROLE__ROLE_ROUTER;
		peers[i].name = link_bytes(slice_from_str(names[i]));
		pointers[message.n_peers++] = &peers[i];
	}
	topology_take(&topology, presence, &message);
}

#define NAMES(name) topology_names_router(&topology, SLICE(name))

Test(topology, routers_are_named_by_their_whole_names)
{
	cr_expect_not(NAMES("r1"));
	say_routers(&p1, true, "r1", "r22");
	cr_expect(NAMES("r1"));
	cr_expect(NAMES("r22"));
	cr_expect_not(NAMES("r2"));
	cr_expect_not(NAMES("2"));
	cr_expect_not(NAMES(""));
	say_routers(&p1, true, "r22", NULL);
	cr_expect_not(NAMES("r1"));
}

Test(topology, one_replica_may_be_cut_off_from_a_router)
{
	say_routers(&p1, true, "r1", "r2");
	say_routers(&p2, true, "r1", NULL);
	cr_expect(NAMES("r2"));
	say_routers(&p2, false, "r3", NULL);
	cr_expect_not(NAMES("r3"));
	say_routers(&p1, true, "r1", NULL);
	cr_expect_not(NAMES("r2"));
}

Test(topology, one_that_has_settled_and_is_here_tells_maps_unless_it_is_older)
{
	say(&p1, true, 1, 0);
	p1.version = 1;
	cr_expect_not(topology_tells_maps(&topology));
	p1.version = 2;
	cr_expect(topology_tells_maps(&topology));
	p1.stream = NULL;
	cr_expect_not(topology_tells_maps(&topology));
	p1.stream = &stream;
	say(&p1, false, 1, 0);
	cr_expect_not(topology_tells_maps(&topology));
}
