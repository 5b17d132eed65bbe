/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operational transform by chance: schedules of several clients, and the pairs that
 * docs/clients/test/ot.test.ts has, too.
 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/router/ot_client.h"

#define GRIN "\xf0\x9f\x98\x80"
#define LAST "\xf4\x8f\xbf\xbf"

/* xorshift, as in TypeScript. */
static uint32_t rng;

static uint32_t chance(uint32_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 17;
	rng ^= rng << 5;
	return rng % below;
}

#define VECTORS 10000u
#define VECTOR_TEXT 40u
#define VECTORS_DIGEST 4213674953u

static const struct slice vector_users[] = {
	{ "ann", 3 },
	{ "bob", 3 },
	{ "\xee\x80\x80", 3 },
	{ "\xf0\x90\x80\x80", 4 },
};

static struct ot_op vector_op(void)
{
	const struct slice letters = SLICE("wxyz");
	const struct slice user = vector_users[chance(4)];
	struct ot_op op = { .type = OT_DELETE, .user = user };
	uint32_t at = 0;

	if (chance(2) == 0) {
		const uint32_t position = chance(VECTOR_TEXT + 1);
		const uint32_t length = 1 + chance(4);

		return ot_insert(user, position, slice_make(letters.ptr, length), length);
	}
	for (uint32_t n = 1 + chance(4); n > 0; n--) {
		const uint32_t start = at + chance(5);
		const uint32_t length = 1 + chance(4);

		op.ranges[op.ranges_n++] = (struct ot_range){ start, length };
		at = start + length + 1;
	}
	return op;
}

static uint32_t digest(uint32_t sum, const char *text)
{
	for (; *text != '\0'; text++)
		sum = (sum ^ (unsigned char)*text) * 16777619u;
	return sum;
}

static uint32_t digest_op(uint32_t sum, const struct ot_op *op)
{
	char text[64];

	if (op->type == OT_RETAIN)
		return digest(sum, "r;");
	if (op->type == OT_INSERT) {
		(void)snprintf(text, sizeof(text), "i%u+%u;", op->position, op->length);
		return digest(sum, text);
	}
	for (size_t i = 0; i < op->ranges_n; i++) {
		(void)snprintf(text, sizeof(text), "d%u+%u;", op->ranges[i].start,
			       op->ranges[i].length);
		sum = digest(sum, text);
	}
	return sum;
}

/* The other implementation, in TypeScript, comes to the same digest. */
Test(ot_random, random_pairs_are_transformed_as_the_clients_do)
{
	uint32_t sum = 2166136261u;

	rng = 2463534242u;
	for (uint32_t i = 0; i < VECTORS; i++) {
		const struct ot_op a = vector_op();
		const struct ot_op b = vector_op();
		struct ot_op a_behind = a;
		struct ot_op b_behind = b;

		cr_assert_eq(ot_transform(&a_behind, &b, true), OK);
		cr_assert_eq(ot_transform(&b_behind, &a, false), OK);
		sum = digest_op(digest_op(sum, &a_behind), &b_behind);
	}
	cr_expect_eq(sum, VECTORS_DIGEST, "%u", sum);
}

/* ---- schedules */

#define SCHEDULES 100000u
#define CLIENTS_MIN 3u
#define CLIENTS_MAX 8u
#define EDITS_MAX 4u

static const char *const contents[] = {
	"a", "bc", "def", "\xc3\xa9", "\xe2\x82\xac!", GRIN, "x" GRIN "y", "\n",
};

/* Two clients may be the same user; the order of the names is not that of the clients. */
static const struct slice names[] = {
	{ "mia", 3 }, { "ann", 3 },	     { "zoe", 3 }, { "bob", 3 },
	{ "ann", 3 }, { "\xee\x80\x80", 3 }, { "Eve", 3 }, { LAST, 4 },
};

struct schedule {
	struct ot_server server;
	struct ot_client clients[CLIENTS_MAX];
	size_t clients_n;
	uint32_t edits_left[CLIENTS_MAX];
};

static uint32_t random_place(const struct ot_text *text)
{
	const uint32_t at = chance((uint32_t)text->n + 1);

	return at > 0 && at < text->n && text->units[at] >= 0xdc00 &&
			       text->units[at] < 0xe000
		       ? at - 1
		       : at;
}

static struct ot_op random_insert(struct slice user, uint32_t position)
{
	const size_t n = sizeof(contents) / sizeof(contents[0]);
	const struct slice content = slice_from_str(contents[chance((uint32_t)n)]);
	size_t units;
	size_t pairs;

	cr_assert_eq(ot_measure(content, &units, &pairs), OK);
	return ot_insert(user, position, content, (uint32_t)units);
}

static bool random_edit(struct schedule *schedule, size_t i)
{
	struct ot_client *client = &schedule->clients[i];
	const uint32_t start = random_place(&client->text);
	const uint32_t end = random_place(&client->text);
	struct ot_op op;

	if (schedule->edits_left[i] == 0)
		return false;
	schedule->edits_left[i]--;
	if (chance(2) == 0 || start == end)
		op = random_insert(client->user, start);
	else
		op = ot_delete(client->user, start < end ? start : end,
			       start < end ? end - start : start - end);
	ot_client_edit(client, &op);
	return true;
}

static bool random_step(struct schedule *schedule)
{
	const size_t i = chance((uint32_t)schedule->clients_n);
	struct ot_client *client = &schedule->clients[i];

	switch (chance(4)) {
	case 0:
		return random_edit(schedule, i);
	case 1:
		return ot_client_send(client);
	case 2:
		return ot_server_take(&schedule->server, client);
	default:
		return ot_client_receive(client, &schedule->server);
	}
}

static bool is_over(const struct schedule *schedule)
{
	for (size_t i = 0; i < schedule->clients_n; i++) {
		const struct ot_client *client = &schedule->clients[i];

		if (schedule->edits_left[i] > 0 || client->queue_n > 0 ||
		    client->version < schedule->server.version)
			return false;
	}
	return true;
}

static void run_schedule(struct schedule *schedule, uint32_t seed)
{
	const struct ot_text *text = &schedule->server.text;
	uint64_t vain = 0;

	rng = seed * 2654435761u | 1u;
	ot_server_init(&schedule->server, SLICE("The quick " GRIN " fox\njumps."));
	schedule->clients_n = CLIENTS_MIN + chance(CLIENTS_MAX - CLIENTS_MIN + 1);
	for (size_t i = 0; i < schedule->clients_n; i++) {
		ot_client_init(&schedule->clients[i], i, names[i], &schedule->server);
		schedule->edits_left[i] = chance(EDITS_MAX + 1);
	}
	while (!is_over(schedule)) {
		vain = random_step(schedule) ? 0 : vain + 1;
		cr_assert_lt(vain, 100000u, "schedule %u does not end", seed);
	}
	for (size_t i = 0; i < schedule->clients_n; i++) {
		const struct ot_text *own = &schedule->clients[i].text;

		cr_assert(own->n == text->n &&
				  memcmp(own->units, text->units,
					 text->n * sizeof(*text->units)) == 0,
			  "schedule %u: client %zu has another text than the server",
			  seed, i);
	}
}

Test(ot_random, random_schedules_of_three_to_eight_clients_converge)
{
	static struct schedule schedule;
	uint64_t clients = 0;
	uint64_t operations = 0;
	uint64_t transforms = 0;
	uint64_t cut = 0;
	uint64_t retained = 0;

	for (uint32_t seed = 1; seed <= SCHEDULES; seed++) {
		run_schedule(&schedule, seed);
		clients += schedule.clients_n;
		operations += schedule.server.version;
		transforms += schedule.server.transforms;
		cut += schedule.server.cut;
		retained += schedule.server.retained;
	}
	(void)fprintf(
		stderr,
		"%u schedules: %ju clients, %ju operations, %ju transforms, %ju cut, "
		"%ju of nothing left; all converge\n",
		SCHEDULES, (uintmax_t)clients, (uintmax_t)operations,
		(uintmax_t)transforms, (uintmax_t)cut, (uintmax_t)retained);
	cr_expect_gt(cut, SCHEDULES / 100);
	cr_expect_gt(retained, SCHEDULES / 100);
}
