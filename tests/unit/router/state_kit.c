/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/router/state_kit.h"

#include <stdio.h>

#include "proto/base/mem.h"

struct state_kit state_kit;

struct state_question state_kit_question(enum state_op op, const char *key)
{
	return (struct state_question){
		.op = op,
		.hub = SLICE("hub"),
		.key = slice_from_str(key),
		.entries_max = HUB_ENTRIES_MAX,
		.ttl_ms = STATE_KIT_TTL_MS,
		.expected = HUB_ANY,
	};
}

const struct state_answer *state_kit_ask(const struct state_question *question)
{
	cr_assert_eq(state_question_check(question), OK);
	return state_kit.ask(question);
}

/* ---- asking */

uint64_t state_kit_append(const char *key, const char *text, uint32_t entries_max)
{
	struct state_question question = state_kit_question(STATE_APPEND, key);
	const struct state_answer *answer;

	question.bytes = slice_from_str(text);
	question.entries_max = entries_max;
	answer = state_kit_ask(&question);
	cr_assert_eq(answer->rc, OK, "%s", err_name(answer->rc));
	return answer->number;
}

/* "1:one 2:two" or "a=one b=two". */
static const char *text_of(const struct state_answer *answer, bool is_log)
{
	static char text[4096];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < answer->entries_n; i++) {
		const struct state_entry *entry = &answer->entries[i];
		char number[32];
		int n;

		(void)snprintf(number, sizeof(number),
			       "%llu:", (unsigned long long)entry->number);
		n = snprintf(text + len, sizeof(text) - len, "%s%s%.*s%s%.*s",
			     i > 0 ? " " : "", is_log ? number : "",
			     SLICE_FMT(entry->name), is_log ? "" : "=",
			     (int)(entry->bytes.len < 20 ? entry->bytes.len : 20),
			     entry->bytes.ptr);
		cr_assert(n >= 0 && (size_t)n < sizeof(text) - len);
		len += (size_t)n;
	}
	if (answer->is_more)
		(void)snprintf(text + len, sizeof(text) - len, " ...");
	return text;
}

const struct state_answer *state_kit_read_answer(const char *key, uint64_t first,
						 uint64_t before, uint32_t entries_max)
{
	struct state_question question = state_kit_question(STATE_READ, key);
	const struct state_answer *answer;

	question.first = first;
	question.before = before;
	question.entries_max = entries_max;
	answer = state_kit_ask(&question);
	cr_assert_eq(answer->rc, OK, "%s", err_name(answer->rc));
	return answer;
}

const char *state_kit_read(const char *key, uint64_t first, uint64_t before,
			   uint32_t entries_max)
{
	return text_of(state_kit_read_answer(key, first, before, entries_max), true);
}

const struct state_answer *state_kit_put_answer(const char *key, const char *name,
						struct slice bytes, uint64_t expected)
{
	struct state_question question = state_kit_question(STATE_PUT, key);

	question.name = slice_from_str(name);
	question.bytes = bytes;
	question.expected = expected;
	return state_kit_ask(&question);
}

uint64_t state_kit_put(const char *key, const char *name, const char *text,
		       uint32_t entries_max)
{
	struct state_question question = state_kit_question(STATE_PUT, key);
	const struct state_answer *answer;

	question.name = slice_from_str(name);
	question.bytes = slice_from_str(text);
	question.entries_max = entries_max;
	answer = state_kit_ask(&question);
	cr_assert_eq(answer->rc, OK, "%s", err_name(answer->rc));
	return answer->number;
}

const struct state_answer *state_kit_list_answer(const char *key, uint64_t first)
{
	struct state_question question = state_kit_question(STATE_LIST, key);
	const struct state_answer *answer;

	question.first = first;
	answer = state_kit_ask(&question);
	cr_assert_eq(answer->rc, OK, "%s", err_name(answer->rc));
	return answer;
}

const char *state_kit_list(const char *key)
{
	return text_of(state_kit_list_answer(key, 0), false);
}

void state_kit_forget(const char *key)
{
	const struct state_question question = state_kit_question(STATE_FORGET, key);

	cr_assert_eq(state_kit_ask(&question)->rc, OK);
}

/* ---- sizes */

struct slice state_kit_large(void)
{
	char *bytes = mem_alloc(HUB_ENTRY_BYTES_MAX);

	memset(bytes, 'L', HUB_ENTRY_BYTES_MAX);
	return slice_make(bytes, HUB_ENTRY_BYTES_MAX);
}

void state_kit_large_free(struct slice large)
{
	union {
		const char *given;
		char *owned;
	} ptr = { .given = large.ptr };

	mem_free(ptr.owned);
}
