/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions about the state of hubs, as another router sends them, to the table that
 * answers them. Whatever they are, limits are kept, entries are in order, the answer fits
 * on a link and comes back from it as it was, and in the end all memory is given back.
 */
#include <stdlib.h>

#include "proto/base/mem.h"
#include "router/state/state_message.h"
#include "router/state/state_table.h"
#include "tests/fuzz/fuzz.h"

static void check_order(const struct state_question *question,
			const struct state_answer *answer)
{
	assert(answer->entries_n <= HUB_ENTRIES_MAX);
	for (size_t i = 1; i < answer->entries_n; i++) {
		const uint64_t before = answer->entries[i - 1].number;

		if (question->op == STATE_READ)
			assert(answer->entries[i].number == before + 1);
		else
			assert(answer->entries[i].number > before);
	}
	if (answer->entries_n > 0 && question->op != STATE_GET)
		assert(answer->entries[answer->entries_n - 1].number <= answer->last);
}

static void check_on_link(const struct state_answer *answer, struct arena *arena)
{
	Link__StateDone written = LINK__STATE_DONE__INIT;
	Link__StateDone *unpacked;
	struct state_answer read;
	uint8_t *packed;
	size_t len;

	state_answer_write(answer, arena, &written);
	len = link__state_done__get_packed_size(&written);
	assert(len < LINK_ENVELOPE_BYTES_MAX);
	packed = mem_alloc(len);
	link__state_done__pack(&written, packed);
	unpacked = link__state_done__unpack(NULL, len, packed);
	assert(unpacked != NULL);
	state_answer_read(unpacked, arena, &read);
	assert(read.rc == answer->rc && read.number == answer->number);
	assert(read.last == answer->last && read.is_more == answer->is_more);
	assert(read.entries_n == answer->entries_n);
	for (size_t i = 0; i < read.entries_n; i++) {
		assert(slice_equal(read.entries[i].name, answer->entries[i].name));
		assert(slice_equal(read.entries[i].bytes, answer->entries[i].bytes));
	}
	link__state_done__free_unpacked(unpacked, NULL);
	mem_free(packed);
}

static void ask(struct state_table *table, const Link__State *message, int64_t now_ms)
{
	struct arena arena = ARENA_INIT;
	struct state_question question;
	struct state_answer answer;

	state_question_read(message, &question);
	answer.rc = state_question_check(&question);
	if (answer.rc == OK) {
		state_table_ask(table, &question, now_ms, &arena, &answer);
		check_order(&question, &answer);
		check_on_link(&answer, &arena);
		assert(table->items.count <= table->limits.keys_max);
		assert(table->bytes <= table->limits.bytes_max ||
		       table->items.count == 1);
	}
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = fuzz_slice(data, size);
	const struct state_table_limits limits = {
		.keys_max = 1u + fuzz_byte(&input) % 8u,
		.bytes_max = 256u * (1u + fuzz_byte(&input)),
	};
	struct state_table table;
	int64_t now_ms = 0;

	state_table_init(&table, &limits, 100, now_ms, 7);
	while (input.len > 0) {
		const size_t len = fuzz_byte(&input);
		const struct slice one = fuzz_take(&input, len);
		Link__State *message = link__state__unpack(
			NULL, one.len, (const uint8_t *)(const void *)one.ptr);

		now_ms += (int64_t)(fuzz_byte(&input) % 16u);
		if (message == NULL)
			continue;
		/* So that few bytes are enough for a good one. */
		if (message->entries_max == 0)
			message->entries_max = 3;
		if (message->ttl_ms == 0)
			message->ttl_ms = 20;
		ask(&table, message, now_ms);
		link__state__free_unpacked(message, NULL);
	}
	state_table_fini(&table);
	return 0;
}
