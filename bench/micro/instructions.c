/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One function for each hot path, run often on a fixed input: bench/instructions.sh has
 * them counted by callgrind, instruction by instruction, and compares with what is
 * committed. Times differ from run to run, instructions do not. Prints a line for each
 * function, its name and how many units of work it did. Nothing here depends on a seed or
 * on an address.
 */
#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/ws_frame.h"
#include "proto/base/mem.h"
#include "proto/wire/hub_json.h"
#include "proto/wire/hub_msgpack.h"
#include "router/group.h"
#include "tests/unit/gateway/fan_kit.h"

#define SEED 42
#define TIMES 1000
#define KEYS TIMES
#define NAME_LEN 9 /* "room-0042" */
#define RECEIVERS 200
#define TURNS 20
#define PAYLOAD_BYTES 154

/* Never inlined nor cloned: callgrind finds them by name. */
#define UNIT __attribute__((noinline, noclone)) static void

struct bench {
	struct arena arena;
	char names[KEYS][NAME_LEN + 1];
	struct buf msgpack;
	struct buf masked; /* TIMES WebSocket frames of a client */
	struct shards shards;
	struct index index;
	struct conn *conn; /* borrowed: one of the receivers */
	struct group_table groups;
	struct group_gateway gateways[4];
	struct fan fan;
	struct slice frame;
	uint64_t sum; /* of results, so that nothing is left out */
};

static const char invocation[] =
	"{\"type\":1,\"invocationId\":\"17\",\"target\":\"SendToGroup\",\"arguments\":"
	"[\"room-42\",{\"user\":\"alice\",\"text\":\"hello there, this is a chat\","
	"\"at\":1700000000123,\"seq\":1}]}\x1e";

static struct slice name_of(const struct bench *bench, int i)
{
	return slice_make(bench->names[i], NAME_LEN);
}

/* ---- the units */

UNIT unit_json_decode(struct bench *bench)
{
	for (int i = 0; i < TIMES; i++) {
		struct hub_message message;
		const char *reason;
		struct slice text;
		const ssize_t n = hub_json_cut(slice_from_str(invocation), 4096, &text);
		const enum err rc =
			hub_json_decode(text, &bench->arena, &message, &reason);

		assert(n > 0 && rc == OK);
		bench->sum += message.target.len;
		arena_reset(&bench->arena);
	}
}

UNIT unit_msgpack_decode(struct bench *bench)
{
	for (int i = 0; i < TIMES; i++) {
		struct hub_message message;
		const char *reason;
		struct slice body;
		const ssize_t n =
			hub_msgpack_cut(buf_slice(&bench->msgpack), 4096, &body);
		const enum err rc =
			hub_msgpack_decode(body, &bench->arena, &message, &reason);

		assert(n > 0 && rc == OK);
		bench->sum += message.target.len;
		arena_reset(&bench->arena);
	}
}

UNIT unit_ws_parse(struct bench *bench)
{
	struct ws_parser parser = { 0 };
	size_t at = 0;

	for (int i = 0; i < TIMES; i++) {
		struct ws_event event;
		const ssize_t n = ws_frame_next(&parser, bench->masked.ptr + at,
						bench->masked.len - at, &event);

		assert(n > 0 && event.is_end);
		at += (size_t)n;
	}
	assert(at == bench->masked.len);
}

UNIT unit_ws_wrap(struct bench *bench)
{
	for (int i = 0; i < TIMES; i++) {
		struct blob *blob = transport_ws_ops.wrap(bench->frame, true);

		bench->sum += blob->len;
		blob_unref(blob);
	}
}

UNIT unit_ring_lookup(struct bench *bench)
{
	for (int i = 0; i < TIMES; i++)
		bench->sum += shards_owner(&bench->shards, SLICE("chat"),
					   LINK__KIND__KIND_GROUP, name_of(bench, i));
}

UNIT unit_index_find(struct bench *bench)
{
	for (int i = 0; i < TIMES; i++) {
		const struct index_key *key =
			index_find(&bench->index, bench->conn->hub,
				   LINK__KIND__KIND_GROUP, name_of(bench, i));

		assert(key != NULL);
		bench->sum += key->members_n;
	}
}

/* As the shard's fan-out does: one look-up, then the gateways with members. */
UNIT unit_group_find(struct bench *bench)
{
	for (int i = 0; i < TIMES; i++) {
		const struct group_key key = { SLICE("chat"), LINK__KIND__KIND_GROUP,
					       name_of(bench, i) };
		const struct group *group = group_find(&bench->groups, &key);

		assert(group != NULL);
		for (size_t part = 0; part < group->parts_n; part++)
			bench->sum += group->parts[part].members_n;
	}
}

UNIT unit_delivery_alone(struct bench *bench)
{
	for (int i = 0; i < TURNS; i++) {
		fan_deliver(&bench->fan, bench->frame);
		fan_flush(&bench->fan);
	}
}

UNIT unit_delivery_of_16(struct bench *bench)
{
	for (int i = 0; i < TURNS; i++) {
		for (int message = 0; message < 16; message++)
			fan_deliver(&bench->fan, bench->frame);
		fan_flush(&bench->fan);
	}
}

/* ---- what they work on */

static void make_messages(struct bench *bench)
{
	const struct hub_codec *json = hub_codec(HUB_PROTOCOL_JSON);
	const struct hub_codec *msgpack = hub_codec(HUB_PROTOCOL_MSGPACK);
	const enum err rc = hub_transcode(json, slice_from_str(invocation), msgpack,
					  &bench->arena, &bench->msgpack);

	assert(rc == OK);
	arena_reset(&bench->arena);
	for (int i = 0; i < TIMES; i++) {
		uint8_t mask[4] = { 0x12, 0x34, 0xd6, 0x78 };
		char header[WS_HEADER_BYTES_MAX];
		const size_t n = ws_frame_header(header, WS_TEXT, bench->frame.len);
		size_t payload;

		header[1] = (char)(header[1] | (char)0x80);
		buf_append(&bench->masked, header, n);
		buf_append(&bench->masked, mask, sizeof(mask));
		payload = bench->masked.len;
		buf_append_slice(&bench->masked, bench->frame);
		ws_frame_mask(bench->masked.ptr + payload, bench->frame.len, mask);
	}
}

static void make_tables(struct bench *bench)
{
	const struct group_member who = { SLICE("AAAAAAAAAAAAAAAAAAAAAA"), SLICE("ann"),
					  SLICE("Ann") };
	enum err rc = shards_parse(&bench->shards, "r1=tcp://127.0.0.1:1,"
						   "r2=tcp://127.0.0.1:2,"
						   "r3=tcp://127.0.0.1:3,"
						   "r4=tcp://127.0.0.1:4");
	assert(rc == OK);
	index_init(&bench->index, SEED);
	group_table_init(&bench->groups, SEED);
	for (size_t i = 0; i < 4; i++)
		group_gateway_init(&bench->gateways[i]);
	for (int i = 0; i < KEYS; i++) {
		(void)snprintf(bench->names[i], sizeof(bench->names[i]), "room-%04d",
			       i % 10000);
		const struct slice name = name_of(bench, i);
		const struct group_key key = { SLICE("chat"), LINK__KIND__KIND_GROUP,
					       name };

		rc = index_add(&bench->index, bench->conn, LINK__KIND__KIND_GROUP, name);
		assert(rc == OK);
		for (size_t part = 0; part < 4; part++)
			group_add(&bench->groups, &key, &who, &bench->gateways[part]);
	}
}

static void make_receivers(struct bench *bench)
{
	struct sockaddr_in address;

	(void)fan_sink_open(&address); /* stays open until the process ends */
	fan_init(&bench->fan);
	for (int i = 0; i < RECEIVERS; i++)
		bench->conn = fan_add(&bench->fan, fan_sink_connect(&address), "json");
}

#define RUN(unit, n)                                                                     \
	do {                                                                             \
		unit(bench);                                                             \
		printf("%s %d\n", #unit, (n));                                           \
	} while (0)

int main(void)
{
	struct bench *bench = MEM_NEW(struct bench);
	char frame[PAYLOAD_BYTES];

	memset(frame, 'x', sizeof(frame));
	bench->frame = slice_make(frame, sizeof(frame));
	arena_init(&bench->arena);
	make_messages(bench);
	make_receivers(bench);
	make_tables(bench);
	/* What is made when first needed, is. */
	fan_deliver(&bench->fan, bench->frame);
	fan_flush(&bench->fan);
	RUN(unit_json_decode, TIMES);
	RUN(unit_msgpack_decode, TIMES);
	RUN(unit_ws_parse, TIMES);
	RUN(unit_ws_wrap, TIMES);
	RUN(unit_ring_lookup, TIMES);
	RUN(unit_index_find, TIMES);
	RUN(unit_group_find, TIMES);
	RUN(unit_delivery_alone, TURNS * RECEIVERS);
	RUN(unit_delivery_of_16, TURNS * 16 * RECEIVERS);
	return bench->sum == 0;
}
