/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/store_record.h"

#include <assert.h>

#define NUMBER_BYTES_MAX 8

/* ---- numbers */

static void put_number(struct buf *out, uint64_t value, size_t bytes)
{
	char text[NUMBER_BYTES_MAX];

	assert(bytes < NUMBER_BYTES_MAX && value >> (8 * bytes) == 0);
	for (size_t i = 0; i < bytes; i++)
		text[i] = (char)(value >> (8 * (bytes - 1 - i)));
	buf_append(out, text, bytes);
}

/* Takes it off `*rest`, which has it. */
static uint64_t take_number(struct slice *rest, size_t bytes)
{
	uint64_t value = 0;

	assert(rest->len >= bytes);
	for (size_t i = 0; i < bytes; i++)
		value = value << 8 | (unsigned char)rest->ptr[i];
	*rest = slice_from(*rest, bytes);
	return value;
}

static struct slice take_bytes(struct slice *rest, size_t len)
{
	const struct slice taken = slice_make(rest->ptr, len);

	assert(rest->len >= len);
	*rest = slice_from(*rest, len);
	return taken;
}

/* ---- a connection */

static struct slice note_cut(struct slice note)
{
	if (note.len > SESSION_NOTE_BYTES_MAX)
		note.len = SESSION_NOTE_BYTES_MAX;
	return note;
}

void record_number_encode(struct buf *out, uint64_t registration)
{
	put_number(out, registration, RECORD_NUMBER_BYTES);
}

void record_encode(struct buf *out, uint64_t registration,
		   const struct session_info *info)
{
	const struct slice remote = note_cut(info->remote);
	const int64_t opened = info->opened_unix_ms;

	assert(info->user_id.len <= SESSION_ID_BYTES_MAX);
	record_number_encode(out, registration);
	put_number(out, info->user_id.len, 2);
	buf_append_slice(out, info->user_id);
	put_number(out, opened > 0 ? (uint64_t)opened & 0xffffffffffff : 0, 6);
	put_number(out, info->protocol, 4);
	put_number(out, (unsigned)info->transport & 0xffff, 2);
	put_number(out, remote.len, 2);
	buf_append_slice(out, remote);
	buf_append_slice(out, note_cut(info->user_agent));
}

enum err record_decode(struct slice record, struct session_info *info)
{
	struct slice rest = record;
	size_t len;

	if (rest.len < 8)
		return ERR_MALFORMED;
	(void)take_number(&rest,
			  RECORD_NUMBER_BYTES); /* the scripts look the gateway up */
	len = take_number(&rest, 2);
	if (rest.len < len + 14)
		return ERR_MALFORMED;
	info->user_id = take_bytes(&rest, len);
	info->opened_unix_ms = (int64_t)take_number(&rest, 6);
	info->protocol = (uint32_t)take_number(&rest, 4);
	info->transport = (int)take_number(&rest, 2);
	len = take_number(&rest, 2);
	if (rest.len < len)
		return ERR_MALFORMED;
	info->remote = take_bytes(&rest, len);
	info->user_agent = rest;
	return OK;
}

void record_key_encode(struct buf *out, struct slice hub, struct slice connection)
{
	assert(hub.len <= SESSION_ID_BYTES_MAX);
	put_number(out, hub.len, 2);
	buf_append_slice(out, hub);
	buf_append_slice(out, connection);
}

enum err record_key_decode(struct slice key, struct session_info *info)
{
	struct slice rest = key;
	size_t len;

	if (rest.len < 2)
		return ERR_MALFORMED;
	len = take_number(&rest, 2);
	if (rest.len < len)
		return ERR_MALFORMED;
	info->hub = take_bytes(&rest, len);
	info->connection = rest;
	return OK;
}

/* ---- texts that the scripts make */

enum err record_note_decode(struct slice note, int64_t *since_unix_ms, struct slice *name)
{
	struct slice rest = slice_from(note, 1);
	const struct slice since = slice_cut(&rest, ':');

	*name = rest;
	return slice_to_int64(since, since_unix_ms) == OK ? OK : ERR_MALFORMED;
}

enum err record_gateway_decode(struct slice text, struct session_gateway_id *gateway)
{
	struct slice rest = text;
	const struct slice digits = slice_cut(&rest, ':');
	uint64_t incarnation = 0;

	if (digits.len == 0 || digits.len > 20)
		return ERR_MALFORMED;
	for (size_t i = 0; i < digits.len; i++) {
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
			return ERR_MALFORMED;
		incarnation = incarnation * 10 + (uint64_t)(digits.ptr[i] - '0');
	}
	*gateway = (struct session_gateway_id){ rest, incarnation };
	return OK;
}
