/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a router sends, as the lines that tests compare.
 */
#include "tests/unit/router/hub_kit.h"

static const char *kind_name(Link__Kind kind)
{
	static const char *const names[] = { "none", "group", "user", "connection",
					     "all" };

	cr_assert_lt((size_t)kind, sizeof(names) / sizeof(names[0]));
	return names[kind];
}

static void write_word(struct buf *out, ProtobufCBinaryData word)
{
	buf_append_byte(out, ' ');
	buf_append_slice(out, link_slice(word));
}

/* Without the byte that ends it. */
static void write_frame(struct buf *out, ProtobufCBinaryData frame)
{
	buf_append_byte(out, ' ');
	if (frame.len == 0) {
		buf_append_byte(out, '-');
		return;
	}
	cr_assert_eq(frame.data[frame.len - 1], 0x1e);
	buf_append(out, frame.data, frame.len - 1);
}

static void write_payload(struct buf *out, Link__Kind kind, ProtobufCBinaryData name,
			  const Link__Payload *payload)
{
	buf_appendf(out, " %s", kind_name(kind));
	if (name.len > 0)
		write_word(out, name);
	write_frame(out, payload->frame);
}

static void write_excluded(struct buf *out, const ProtobufCBinaryData *excluded, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		buf_append_str(out, " without");
		write_word(out, excluded[i]);
	}
}

static void write_send(struct kit *kit, struct buf *out, const Link__Send *send)
{
	buf_append_str(out, "send");
	write_payload(out, send->kind, send->name, send->payloads[0]);
	write_excluded(out, send->excluded, send->n_excluded);
	kit->call = send->call;
}

static void write_deliver(struct buf *out, const Link__Deliver *deliver)
{
	buf_append_str(out, "deliver");
	write_payload(out, deliver->kind, deliver->name, deliver->payloads[0]);
	write_excluded(out, deliver->excluded, deliver->n_excluded);
}

static void write_complete(struct buf *out, const Link__Complete *complete)
{
	buf_append_str(out, "complete");
	write_word(out, complete->connection);
	buf_appendf(out, " %u", (unsigned)complete->call);
	write_frame(out, complete->frame);
}

static void write_join(struct kit *kit, struct buf *out, const Link__Join *join)
{
	buf_append_str(out, join->is_leave ? "leave" : "join");
	write_word(out, join->connection);
	write_word(out, join->group);
	kit->call = join->call;
}

static void write_members(struct buf *out, const Link__Members *members)
{
	buf_appendf(out, "members %s", err_name((enum err)members->rc));
	for (size_t i = 0; i < members->n_members; i++) {
		write_word(out, members->members[i]->connection);
		write_word(out, members->members[i]->user_id);
	}
}

static void write_entries(struct buf *out, const Link__LogEntries *entries)
{
	buf_appendf(out, "log_entries %s", err_name((enum err)entries->rc));
	for (size_t i = 0; i < entries->n_entries; i++)
		write_word(out, entries->entries[i]);
}

static void write_log(struct kit *kit, struct buf *out, const Link__Envelope *envelope)
{
	if (envelope->body_case == LINK__ENVELOPE__BODY_LOG_READ) {
		buf_append_str(out, "log_read");
		write_word(out, envelope->log_read->key);
		buf_appendf(out, " %u", envelope->log_read->entries_max);
		kit->call = envelope->log_read->call;
	} else {
		buf_append_str(out, "log_append");
		write_word(out, envelope->log_append->key);
		write_word(out, envelope->log_append->entry);
		buf_appendf(out, " %u", envelope->log_append->entries_max);
		kit->call = envelope->log_append->call;
	}
}

void kit_write(struct kit *kit, struct buf *out, const Link__Envelope *envelope)
{
	switch ((int)envelope->body_case) {
	case LINK__ENVELOPE__BODY_COMPLETE:
		write_complete(out, envelope->complete);
		break;
	case LINK__ENVELOPE__BODY_ABORT:
		buf_append_str(out, "abort");
		write_word(out, envelope->abort->connection);
		write_word(out, envelope->abort->error);
		break;
	case LINK__ENVELOPE__BODY_JOIN:
		write_join(kit, out, envelope->join);
		break;
	case LINK__ENVELOPE__BODY_JOINED:
		buf_append_str(out, "joined");
		write_word(out, envelope->joined->connection);
		buf_appendf(out, " %s", err_name((enum err)envelope->joined->rc));
		kit->call = envelope->joined->call;
		break;
	case LINK__ENVELOPE__BODY_SEND:
		write_send(kit, out, envelope->send);
		break;
	case LINK__ENVELOPE__BODY_SENT:
		buf_appendf(out, "sent %s", err_name((enum err)envelope->sent->rc));
		kit->call = envelope->sent->call;
		break;
	case LINK__ENVELOPE__BODY_DELIVER:
		write_deliver(out, envelope->deliver);
		break;
	case LINK__ENVELOPE__BODY_LIST_MEMBERS:
		buf_append_str(out, "list_members");
		write_word(out, envelope->list_members->group);
		kit->call = envelope->list_members->call;
		break;
	case LINK__ENVELOPE__BODY_MEMBERS:
		write_members(out, envelope->members);
		kit->call = envelope->members->call;
		break;
	case LINK__ENVELOPE__BODY_LOG_APPEND:
	case LINK__ENVELOPE__BODY_LOG_READ:
		write_log(kit, out, envelope);
		break;
	case LINK__ENVELOPE__BODY_LOG_ENTRIES:
		write_entries(out, envelope->log_entries);
		kit->call = envelope->log_entries->call;
		break;
	case LINK__ENVELOPE__BODY_LEASE:
		buf_appendf(out, "lease %u", (unsigned)envelope->lease->connections);
		break;
	default:
		cr_assert_fail("message %d", (int)envelope->body_case);
	}
}
