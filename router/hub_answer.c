/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the client is told in the end: the result, or one of SignalR's error texts. What a
 * HubException says in ASP.NET everybody may read; other details only with
 * detailed_errors.
 */
#include <assert.h>
#include <stdarg.h>

#include "router/hub_steps.h"

/* ---- by the method */

void hub_return(struct hub_call *call, struct value *result)
{
	call->result = result;
}

enum hub_rc hub_fail(struct hub_call *call, const char *fmt, ...)
{
	struct slice text;
	va_list args;

	va_start(args, fmt);
	text = hub_vprintf(&call->arena, fmt, args);
	va_end(args);
	call->failure =
		arena_printf(&call->arena, " HubException: %.*s", SLICE_FMT(text));
	return HUB_FAILED;
}

enum hub_rc hub_throw(struct hub_call *call, const char *type, const char *fmt, ...)
{
	struct slice text;
	va_list args;

	call->failure = SLICE("");
	if (!hub_is_detailed(call))
		return HUB_FAILED;
	va_start(args, fmt);
	text = hub_vprintf(&call->arena, fmt, args);
	va_end(args);
	call->failure = arena_printf(&call->arena, " %s: %.*s", type, SLICE_FMT(text));
	return HUB_FAILED;
}

/* ---- to the client */

static struct slice rc_detail(enum hub_rc rc)
{
	switch (rc) {
	case HUB_OK:
	case HUB_FAILED:
	case HUB_END:
		break;
	case HUB_ECANCELED:
		return SLICE(" HubException: The router is going down.");
	case HUB_ETIMEDOUT:
		return SLICE(" HubException: An answer did not come in time.");
	case HUB_EUNAVAILABLE:
		return SLICE(" HubException: Another process was lost meanwhile.");
	case HUB_ENOTFOUND:
		return SLICE(" HubException: The connection is gone.");
	case HUB_ELIMIT:
		return SLICE(" HubException: Over a limit.");
	case HUB_ECONFLICT:
		return SLICE(" HubException: It was changed meanwhile.");
	}
	return SLICE(" HubException: The method failed.");
}

/* As SignalR words it: one text before the first item of a stream, one after it. */
static struct slice error_text(struct hub_call *call, struct slice detail)
{
	struct arena *arena = &call->arena;

	if (call->is_streaming)
		return arena_join(arena,
				  SLICE("An error occurred on the server while streaming "
					"results."),
				  detail, SLICE_NONE);
	return arena_join(
		arena, SLICE("An unexpected error occurred invoking '"), call->target,
		arena_join(arena, SLICE("' on the server."), detail, SLICE_NONE));
}

/* What the client ended itself has not failed. */
static bool is_ended_by_client(const struct hub_call *call)
{
	return call->is_unwanted && call->rc == HUB_ECANCELED;
}

bool hub_call_has_failed(const struct hub_call *call)
{
	return call->failure.ptr != NULL || call->has_send_failed ||
	       (call->rc != HUB_OK && !is_ended_by_client(call));
}

/* The text for the client; ptr NULL: no error. */
static struct slice call_error(struct hub_call *call)
{
	if (call->refusal.ptr != NULL)
		return call->refusal;
	if (call->failure.ptr != NULL)
		return error_text(call, call->failure);
	if (call->rc == HUB_FAILED && call->passed.ptr != NULL)
		return error_text(call, call->passed);
	if (call->rc != HUB_OK && !is_ended_by_client(call))
		return error_text(call, hub_is_detailed(call) ? rc_detail(call->rc)
							      : SLICE_NONE);
	if (call->has_send_failed)
		return error_text(call,
				  SLICE(" HubException: Not every receiver is known to "
					"have been reached."));
	return SLICE_NONE;
}

static void encode_result(const struct hub_call *call, struct buf *frame)
{
	const struct hub_codec *codec = call->conn->codec;
	const struct value nil = { .type = VALUE_NIL };
	struct buf raw = BUF_INIT;

	if (call->is_stream) {
		hub_encode_result(codec, frame, call->invocation_id, SLICE_NONE);
		return;
	}
	codec->encode_value(&raw, call->result != NULL ? call->result : &nil);
	hub_encode_result(codec, frame, call->invocation_id, buf_slice(&raw));
	buf_fini(&raw);
}

void hub_call_encode(struct hub_call *call, struct buf *frame)
{
	const struct hub_codec *codec = call->conn->codec;
	const struct slice error = call_error(call);

	if (error.ptr != NULL)
		hub_encode_error(codec, frame, call->invocation_id, error);
	else
		encode_result(call, frame);
	if (frame->len <= HUB_FRAME_BYTES_MAX)
		return;
	buf_clear(frame);
	call->failure = SLICE(" HubException: Over a limit.");
	hub_encode_error(codec, frame, call->invocation_id,
			 error_text(call, call->failure));
}

void hub_encode_refusal(const struct hub_codec *codec, struct buf *frame,
			struct slice invocation_id, struct slice target, const char *why)
{
	struct buf text = BUF_INIT;

	buf_append_str(&text, "Failed to invoke '");
	buf_append_slice(&text, target);
	buf_appendf(&text, "' due to an error on the server. HubException: %s", why);
	hub_encode_error(codec, frame, invocation_id, buf_slice(&text));
	buf_fini(&text);
}
