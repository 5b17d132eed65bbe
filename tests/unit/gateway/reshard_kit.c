/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One gateway at a time, in variables of the program: every test has a process of its
 * own.
 */
#include "tests/unit/gateway/reshard_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "gateway/on_router.h"

struct kit kit;

struct link_peer *r1;
struct link_peer *r2;

struct gateway_router *router_named(const char *name)
{
	for (size_t i = 0; i < kit.gateway->routers.n; i++) {
		struct gateway_router *router = kit.gateway->routers.items[i];

		if (strcmp(link_peer_name(router->peer), name) == 0)
			return router;
	}
	return NULL;
}

void start(const char *routers)
{
	kit_init(&kit);
	kit_set(&kit.conf->routers, routers);
	kit.conf->reshard_timeout_ms = 1000;
	kit_start(&kit);
	r1 = router_named("r1")->peer;
	r2 = router_named("r2") != NULL ? router_named("r2")->peer : NULL;
	kit.router = r1;
}

void phase(uint64_t epoch, enum shard_phase phase, const char *routers, const char *next)
{
	kit_shards(&kit, r1, epoch, phase, routers, next);
	if (r2 == NULL) {
		r2 = router_named("r2")->peer;
		fake_peer_renew(r2, 100);
	}
	kit_shards(&kit, r2, epoch, phase, routers, next);
	kit_turn(&kit);
}

void grow(uint64_t epoch, enum shard_phase which)
{
	const bool is_stable = which == SHARD_PHASE_STABLE;

	phase(epoch, which, is_stable ? BOTH : ONE, is_stable ? "" : BOTH);
}

void settle(void)
{
	for (int i = 0; i < 4; i++) {
		kit_settle(&kit);
		kit_wait(&kit, 20);
	}
}

/* Is the key r2's, once there are both? */
static bool moves(Link__Kind kind, struct slice name)
{
	struct shard_map map;
	bool is_second = false;

	if (shard_map_init(&map, BOTH) == OK)
		is_second = shard_map_owner(&map, SLICE("chat"), (int)kind, name) == 1;
	shard_map_fini(&map);
	return is_second;
}

char mover(void)
{
	char letter = 'A';

	while (!moves(LINK__KIND__KIND_CONNECTION, kit_id(letter)))
		letter++;
	return letter;
}

const char *moving_group(void)
{
	static char name[16];
	int i = 0;

	do
		(void)snprintf(name, sizeof(name), "g%d", i++); /* it fits */
	while (!moves(GROUP, slice_from_str(name)));
	return name;
}

const char *filled(const char *text, char letter)
{
	static char out[1024];
	size_t len = 0;

	for (; *text != '\0'; text++) {
		if (*text == '$')
			len += (size_t)snprintf(out + len, sizeof(out) - len, "%s",
						moving_group());
		else
			out[len++] = *text == '@' ? letter : *text;
	}
	out[len] = '\0';
	return out;
}

void released(struct link_peer *from, char letter, const char *item)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Released message = LINK__RELEASED__INIT;
	Link__Item kept = LINK__ITEM__INIT;
	Link__Item *items[] = { &kept };

	envelope.body_case = LINK__ENVELOPE__BODY_RELEASED;
	envelope.released = &message;
	message.hub = link_bytes(SLICE("chat"));
	message.connection = link_bytes(kit_id(letter));
	if (item != NULL) {
		kept.name = link_bytes(slice_from_str(item));
		message.items = items;
		message.n_items = 1;
	}
	gateway_link_ops.on_envelope(from, &envelope);
}

void deliver(struct link_peer *from, Link__Kind kind, const char *name)
{
	Link__Envelope envelope = LINK__ENVELOPE__INIT;
	Link__Deliver message = LINK__DELIVER__INIT;

	envelope.body_case = LINK__ENVELOPE__BODY_DELIVER;
	envelope.deliver = &message;
	message.hub = link_bytes(SLICE("chat"));
	message.kind = kind;
	message.name = link_bytes(slice_from_str(name));
	gateway_link_ops.on_envelope(from, &envelope);
}

static void settle_done(void)
{
	settle();
	cr_assert(kit.gateway->reshard.is_done);
}

struct wire *one_in(char letter, enum shard_phase which)
{
	struct wire *wire;

	start(ONE);
	wire = kit_open(&kit, letter, NULL);
	kit_join(&kit, letter, moving_group(), false, 1);
	settle();
	grow(1, SHARD_PHASE_PREPARE);
	settle_done();
	if (which == SHARD_PHASE_COMMIT)
		grow(1, SHARD_PHASE_COMMIT);
	return wire;
}
