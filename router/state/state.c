/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every question is checked against, at the router that asks and at the one that
 * answers.
 */
#include "router/state/state.h"

static bool are_bounds_good(const struct state_question *question)
{
	return question->entries_max >= 1 && question->entries_max <= HUB_ENTRIES_MAX &&
	       question->ttl_ms >= 1 && question->ttl_ms <= HUB_TTL_MS_MAX;
}

enum err state_question_check(const struct state_question *question)
{
	if (question->key.len > HUB_KEY_BYTES_MAX ||
	    question->name.len > HUB_KEY_BYTES_MAX ||
	    question->bytes.len > HUB_ENTRY_BYTES_MAX)
		return ERR_LIMIT;
	switch (question->op) {
	case STATE_APPEND:
	case STATE_PUT:
		return are_bounds_good(question) ? OK : ERR_ARGUMENT;
	case STATE_READ:
	case STATE_LIST:
		return question->entries_max <= HUB_ENTRIES_MAX ? OK : ERR_ARGUMENT;
	case STATE_GET:
	case STATE_REMOVE:
	case STATE_FORGET:
		return OK;
	case STATE_NONE:
		break;
	}
	return ERR_ARGUMENT;
}

bool state_op_is_change(enum state_op op)
{
	return op == STATE_APPEND || op == STATE_PUT || op == STATE_REMOVE ||
	       op == STATE_FORGET;
}
