/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands that change something. Each is one request; what came of it is one line.
 */
#include <inttypes.h>

#include "presence/ctl_private.h"
#include "proto/base/json_write.h"

/* Appends segments of a path, the even ones as they are, the odd ones encoded; the last
 * is followed by NULL. */
static void append_path(struct buf *target, const char *const *segments)
{
	for (size_t i = 0; segments[i] != NULL; i++) {
		if (i % 2 == 0)
			buf_append_str(target, segments[i]);
		else
			ctl_append_encoded(target, slice_from_str(segments[i]));
	}
}

static int64_t number_in(const struct value *answer, struct slice key)
{
	const struct value *found = value_find(answer, key);

	return found != NULL && found->type == VALUE_INT ? found->integer : 0;
}

static bool is_user(const struct ctl *ctl, size_t arg)
{
	return slice_equal(ctl_arg(ctl, arg), SLICE("user"));
}

/* What to ask: the path is put together from its segments. */
struct act {
	const char *method;
	const char *const *segments;
	struct slice body;
};

/* With --json what came is the output. True: the caller says what `*answer` means. */
static bool act(struct ctl *ctl, const struct act *act, const struct value **answer,
		int *status)
{
	struct buf target = BUF_INIT;
	struct ctl_request request = { .method = act->method, .body = act->body };

	append_path(&target, act->segments);
	request.target = buf_slice(&target);
	*status = ctl_ask(ctl, &request, answer);
	buf_fini(&target);
	if (*status != CTL_EXIT_OK)
		return false;
	if (ctl_is_given(ctl, CTL_JSON)) {
		ctl_put_json(ctl);
		return false;
	}
	return true;
}

/* ---- disconnecting */

static void write_reason(const struct ctl *ctl, struct buf *body)
{
	const char *comma = "";

	buf_append_byte(body, '{');
	if (ctl_is_given(ctl, CTL_REASON)) {
		buf_append_str(body, "\"reason\":");
		json_write_string(body, slice_from_str(ctl->line.values[CTL_REASON]));
		comma = ",";
	}
	if (ctl_is_given(ctl, CTL_ALLOW_RECONNECT))
		buf_appendf(body, "%s\"allowReconnect\":true", comma);
	buf_append_byte(body, '}');
}

int ctl_run_disconnect(struct ctl *ctl)
{
	const char *const user[] = { "/api/v1/users/", ctl->args[1], "/connections",
				     NULL };
	const char *const connection[] = { "/api/v1/connections/", ctl->args[1], NULL };
	const struct value *answer = NULL;
	struct buf body = BUF_INIT;
	struct act what = { .method = "DELETE",
			    .segments = is_user(ctl, 0) ? user : connection };
	int status;

	if (ctl_is_given(ctl, CTL_REASON) || ctl_is_given(ctl, CTL_ALLOW_RECONNECT)) {
		write_reason(ctl, &body);
		what.body = buf_slice(&body);
	}
	if (act(ctl, &what, &answer, &status))
		buf_appendf(&ctl->out, "disconnected: %" PRId64 "\n",
			    number_in(answer, SLICE("disconnected")));
	buf_fini(&body);
	return status;
}

/* ---- groups */

static int change_group(struct ctl *ctl, const char *method, const char *done)
{
	const char *const segments[] = { "/api/v1/hubs/",
					 ctl->args[0],
					 "/groups/",
					 ctl->args[1],
					 is_user(ctl, 2) ? "/users/" : "/connections/",
					 ctl->args[3],
					 NULL };
	const struct act what = { .method = method, .segments = segments };
	const struct value *answer = NULL;
	int status;

	if (act(ctl, &what, &answer, &status))
		buf_appendf(&ctl->out, "connections %s: %" PRId64 "\n", done,
			    number_in(answer, SLICE("connections")));
	return status;
}

int ctl_run_group_add(struct ctl *ctl)
{
	return change_group(ctl, "PUT", "added");
}

int ctl_run_group_remove(struct ctl *ctl)
{
	return change_group(ctl, "DELETE", "removed");
}

/* ---- sending */

static void write_excluded(const struct ctl *ctl, struct buf *body)
{
	struct slice left = slice_from_str(ctl->line.values[CTL_EXCLUDE]);
	const char *comma = "";

	buf_append_str(body, ",\"excluded\":[");
	while (left.ptr != NULL) {
		buf_append_str(body, comma);
		json_write_string(body, slice_cut(&left, ','));
		comma = ",";
	}
	buf_append_byte(body, ']');
}

static void write_message(const struct ctl *ctl, struct slice method,
			  struct slice arguments, struct buf *body)
{
	buf_append_str(body, "{\"target\":");
	json_write_string(body, method);
	buf_append_str(body, ",\"arguments\":");
	buf_append_slice(body, arguments);
	if (ctl_is_given(ctl, CTL_EXCLUDE))
		write_excluded(ctl, body);
	buf_append_byte(body, '}');
}

static bool is_array(struct ctl *ctl, struct slice text)
{
	struct value *value = NULL;

	return value_decode_json(text, &ctl->arena, &value) == OK &&
	       value->type == VALUE_ARRAY;
}

/* Between the hub and "/send". */
static const char *kind_segment(struct slice kind)
{
	if (slice_equal(kind, SLICE("group")))
		return "/groups/";
	return slice_equal(kind, SLICE("user")) ? "/users/" : "/connections/";
}

int ctl_run_send(struct ctl *ctl)
{
	const bool is_all = slice_equal(ctl_arg(ctl, 1), SLICE("all"));
	const size_t at = is_all ? 2 : 3; /* of the method */
	const char *const all[] = { "/api/v1/hubs/", ctl->args[0], "/send", NULL };
	const char *const some[] = {
		"/api/v1/hubs/", ctl->args[0], kind_segment(ctl_arg(ctl, 1)),
		ctl->args[2],	 "/send",      NULL
	};
	struct act what = { .method = "POST", .segments = is_all ? all : some };
	const struct value *answer = NULL;
	struct buf body = BUF_INIT;
	int status;

	if (ctl->args_n != at + 2)
		return ctl_usage(ctl, "a NAME is needed, but for all");
	if (!is_array(ctl, ctl_arg(ctl, at + 1)))
		return ctl_usage(ctl, "ARGUMENTS is a JSON array, as '[\"text\", 1]'");
	write_message(ctl, ctl_arg(ctl, at), ctl_arg(ctl, at + 1), &body);
	what.body = buf_slice(&body);
	if (act(ctl, &what, &answer, &status))
		buf_append_str(&ctl->out, "delivered\n");
	buf_fini(&body);
	return status;
}

/* ---- draining */

int ctl_run_drain(struct ctl *ctl)
{
	const char *const segments[] = { "/api/v1/gateways/", ctl->args[0], "/drain",
					 NULL };
	const struct act what = { .method = "POST", .segments = segments };
	const struct value *answer = NULL;
	int status;

	if (act(ctl, &what, &answer, &status))
		buf_append_str(&ctl->out, "draining\n");
	return status;
}
