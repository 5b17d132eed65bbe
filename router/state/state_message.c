/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field by field. Operations have the same numbers on both sides.
 */
#include "router/state/state_message.h"

_Static_assert((int)STATE_APPEND == (int)LINK__STATE_OP__STATE_OP_APPEND, "as on links");
_Static_assert((int)STATE_READ == (int)LINK__STATE_OP__STATE_OP_READ, "as on links");
_Static_assert((int)STATE_PUT == (int)LINK__STATE_OP__STATE_OP_PUT, "as on links");
_Static_assert((int)STATE_GET == (int)LINK__STATE_OP__STATE_OP_GET, "as on links");
_Static_assert((int)STATE_LIST == (int)LINK__STATE_OP__STATE_OP_LIST, "as on links");
_Static_assert((int)STATE_REMOVE == (int)LINK__STATE_OP__STATE_OP_REMOVE, "as on links");
_Static_assert((int)STATE_FORGET == (int)LINK__STATE_OP__STATE_OP_FORGET, "as on links");

void state_question_write(const struct state_question *question, Link__State *message)
{
	link__state__init(message);
	message->hub = link_bytes(question->hub);
	message->key = link_bytes(question->key);
	message->op = (Link__StateOp)question->op;
	message->name = link_bytes(question->name);
	message->value = link_bytes(question->bytes);
	message->entries_max = question->entries_max;
	message->ttl_ms = (uint64_t)question->ttl_ms;
	message->is_expecting = question->expected != HUB_ANY;
	message->expected = message->is_expecting ? question->expected : 0;
	message->first = question->first;
	message->wait_ms = (uint64_t)question->wait_ms;
	message->before = question->before;
}

void state_question_read(const Link__State *message, struct state_question *question)
{
	const bool is_ours = message->op > LINK__STATE_OP__STATE_OP_NONE &&
			     message->op <= LINK__STATE_OP__STATE_OP_FORGET;

	*question = (struct state_question){
		.op = is_ours ? (enum state_op)message->op : STATE_NONE,
		.hub = link_slice(message->hub),
		.key = link_slice(message->key),
		.name = link_slice(message->name),
		.bytes = link_slice(message->value),
		.entries_max = message->entries_max,
		.ttl_ms = message->ttl_ms <= INT64_MAX ? (int64_t)message->ttl_ms : 0,
		.expected = message->is_expecting ? message->expected : HUB_ANY,
		.first = message->first,
		.wait_ms = message->wait_ms < HUB_CHANGES_MS_MAX
				   ? (int64_t)message->wait_ms
				   : HUB_CHANGES_MS_MAX,
		.before = message->before,
	};
}

void state_answer_write(const struct state_answer *answer, struct arena *arena,
			Link__StateDone *message)
{
	link__state_done__init(message);
	message->rc = answer->rc;
	message->number = answer->number;
	message->last = answer->last;
	message->life = answer->life;
	message->is_more = answer->is_more;
	message->entries =
		arena_alloc(arena, answer->entries_n * sizeof(*message->entries));
	for (size_t i = 0; i < answer->entries_n; i++) {
		const struct state_entry *from = &answer->entries[i];
		Link__StateEntry *to = ARENA_NEW(arena, Link__StateEntry);

		link__state_entry__init(to);
		to->number = from->number;
		to->name = link_bytes(from->name);
		to->value = link_bytes(from->bytes);
		message->entries[message->n_entries++] = to;
	}
}

void state_answer_read(const Link__StateDone *message, struct arena *arena,
		       struct state_answer *answer)
{
	*answer = (struct state_answer){
		.rc = (enum err)message->rc,
		.number = message->number,
		.last = message->last,
		.life = message->life,
		.is_more = message->is_more,
	};
	answer->entries =
		arena_alloc(arena, message->n_entries * sizeof(*answer->entries));
	for (size_t i = 0; i < message->n_entries; i++) {
		const Link__StateEntry *from = message->entries[i];

		answer->entries[answer->entries_n++] = (struct state_entry){
			.number = from->number,
			.name = link_slice(from->name),
			.bytes = link_slice(from->value),
		};
	}
}
