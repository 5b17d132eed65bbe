/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A message that lacks a protocol is brought into it once, for all receivers.
 */
#include "gateway/parcel.h"

#include <assert.h>

#include "gateway/gateway.h"
#include "proto/base/mem.h"

void parcel_init(struct parcel *parcel, const Link__Deliver *deliver)
{
	*parcel = (struct parcel){ .bytes = sizeof(*parcel) };
	list_init(&parcel->node);
	for (size_t i = deliver->n_payloads; i-- > 0;) {
		const Link__Payload *payload = deliver->payloads[i];

		/* The first of a protocol counts; a newer router may know more of them.
		 */
		if (hub_codec((enum hub_protocol)payload->protocol) != NULL)
			parcel->frames[payload->protocol] = link_slice(payload->frame);
	}
}

void parcel_fini(struct parcel *parcel)
{
	for (size_t p = 0; p < HUB_PROTOCOLS; p++) {
		for (size_t t = 0; t < TRANSPORT_KINDS; t++)
			blob_unref(parcel->wrapped[p][t]);
	}
}

struct parcel *parcel_new(const Link__Deliver *deliver)
{
	struct parcel borrowed;
	struct parcel *parcel;
	size_t text_len = 0;
	char *at;

	parcel_init(&borrowed, deliver);
	for (size_t p = 0; p < HUB_PROTOCOLS; p++)
		text_len += borrowed.frames[p].len;
	parcel = mem_zalloc(sizeof(*parcel) + text_len);
	list_init(&parcel->node);
	parcel->bytes = sizeof(*parcel) + text_len;
	at = parcel->text;
	for (size_t p = 0; p < HUB_PROTOCOLS; p++) {
		const struct slice frame = borrowed.frames[p];

		if (frame.len > 0)
			memcpy(at, frame.ptr, frame.len);
		parcel->frames[p] = slice_make(at, frame.len);
		at += frame.len;
		if (frame.len > parcel->len)
			parcel->len = frame.len;
	}
	return parcel;
}

void parcel_free(struct parcel *parcel)
{
	if (parcel == NULL)
		return;
	assert(!list_is_linked(&parcel->node));
	parcel_fini(parcel);
	mem_free(parcel);
}

/* `frame` stays empty when it cannot be done. The gateway's arena may hold the message of
 * a client who is caught up for it. */
static void transcode(const struct parcel *parcel, const struct conn *conn,
		      struct buf *frame)
{
	struct gateway *gateway = conn->gateway;
	struct arena arena;

	arena_init(&arena);
	for (size_t p = 0; p < HUB_PROTOCOLS && frame->len == 0; p++) {
		if (parcel->frames[p].len == 0)
			continue;
		if (hub_transcode(hub_codec((enum hub_protocol)p), parcel->frames[p],
				  conn->codec, &arena, frame) != OK)
			buf_clear(frame);
	}
	arena_fini(&arena);
	if (frame->len == 0)
		gateway->metrics.transcode_failed_total++;
	else
		gateway->metrics.transcode_total++;
}

static struct blob *wrap(struct parcel *parcel, const struct conn *conn)
{
	const struct hub_codec *codec = conn->codec;
	const struct slice said = parcel->frames[codec->protocol];
	struct buf frame = BUF_INIT;
	struct blob *wrapped = NULL;

	if (said.len > 0)
		return conn->ops->wrap(said, codec->is_text);
	if (parcel->has_failed[codec->protocol])
		return NULL;
	transcode(parcel, conn, &frame);
	if (frame.len > 0)
		wrapped = conn->ops->wrap(buf_slice(&frame), codec->is_text);
	else
		parcel->has_failed[codec->protocol] = true;
	buf_fini(&frame);
	return wrapped;
}

struct blob *parcel_wrap(struct parcel *parcel, const struct conn *conn)
{
	struct blob *wrapped = wrap(parcel, conn);

	if (wrapped == NULL)
		return NULL;
	assert(parcel->wrapped[conn->codec->protocol][conn->ops->kind] == NULL);
	parcel->wrapped[conn->codec->protocol][conn->ops->kind] = wrapped;
	parcel->bytes += sizeof(*wrapped) + wrapped->len;
	return wrapped;
}
