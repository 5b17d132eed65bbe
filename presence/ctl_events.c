/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows the feed of who comes and goes until it is stopped. A feed that ends or falls
 * silent is asked for again, from the last event on.
 */
#include <stdio.h>
#include <time.h>

#include "presence/ctl_private.h"
#include "presence/ctl_text.h"
#include "proto/base/event_stream.h"
#include "proto/base/json_write.h"

/* Something comes each 15 s, if only a comment. */
#define SILENCE_MS 45000
#define AGAIN_MS 1000

struct feed {
	struct ctl *ctl;
	struct event_stream stream;
	struct buf after; /* the last event's id */
	int64_t left;
	bool is_begun; /* it has been read from at least once */
};

static void put_json(struct buf *out, const struct event *event)
{
	struct buf line = BUF_INIT;

	buf_append_str(&line, "{\"event\":");
	json_write_string(&line, event->name);
	buf_append_str(&line, ",\"id\":");
	json_write_string(&line, event->id);
	buf_append_str(&line, ",\"data\":");
	buf_append_slice(&line, event->data);
	buf_append_byte(&line, '}');
	ctl_text_escape_json(out, buf_slice(&line));
	buf_append_byte(out, '\n');
	buf_fini(&line);
}

static void put_member(struct buf *out, const struct value *data, struct slice key)
{
	const struct value *found = data != NULL ? value_find(data, key) : NULL;

	if (found == NULL || found->type != VALUE_STRING || found->bytes.len == 0)
		return;
	buf_append_str(out, "  ");
	ctl_text_escape(out, found->bytes);
}

/* "2026-11-22T08:00:00.000Z  online   ann  Ann" */
static void put_line(struct ctl *ctl, const struct event *event)
{
	struct buf line = BUF_INIT;
	struct value *data = NULL;
	struct slice shown;

	arena_reset(&ctl->arena);
	if (value_decode_json(event->data, &ctl->arena, &data) != OK)
		data = NULL;
	put_member(&line, data, SLICE("at"));
	shown = slice_from(buf_slice(&line), 2);
	buf_append_slice(&ctl->out, shown);
	buf_append_str(&ctl->out, shown.len > 0 ? "  " : "");
	ctl_text_escape(&ctl->out, event->name);
	for (size_t i = event->name.len; i < sizeof("offline") - 1; i++)
		buf_append_byte(&ctl->out, ' ');
	put_member(&ctl->out, data, SLICE("userId"));
	put_member(&ctl->out, data, SLICE("userName"));
	put_member(&ctl->out, data, SLICE("reason"));
	buf_append_byte(&ctl->out, '\n');
	buf_fini(&line);
}

static void on_event(struct feed *feed, const struct event *event)
{
	struct ctl *ctl = feed->ctl;

	buf_clear(&feed->after);
	buf_append_slice(&feed->after, event->id);
	if (ctl_is_given(ctl, CTL_JSON))
		put_json(&ctl->out, event);
	else
		put_line(ctl, event);
	ctl_flush(ctl);
	feed->left--;
}

/* All events of what came; false: it cannot be read on. */
static bool take(struct feed *feed, struct slice bytes)
{
	enum err rc = OK;
	struct event event;

	while (feed->left > 0 && event_stream_next(&feed->stream, &bytes, &event, &rc))
		on_event(feed, &event);
	return rc == OK;
}

/* Until it ends, in whatever way, or no more are wanted. */
static void follow(struct feed *feed, struct ctl_http *http)
{
	struct buf bytes = BUF_INIT;
	bool is_done = false;

	event_stream_fini(&feed->stream);
	feed->stream = (struct event_stream){ .line = BUF_INIT };
	while (!is_done && feed->left > 0 && ferror(stdout) == 0) {
		buf_clear(&bytes);
		if (ctl_http_read(http, &bytes, &is_done) != OK ||
		    !take(feed, buf_slice(&bytes)))
			break;
	}
	buf_fini(&bytes);
}

/* The exit status once there is no sense in going on; -1: it may be asked for again. */
static int follow_once(struct feed *feed)
{
	struct ctl *ctl = feed->ctl;
	char error[CTL_HTTP_ERROR_BYTES];
	struct buf target = BUF_INIT;
	struct ctl_request request = { .method = "GET" };
	struct ctl_http *http = NULL;
	bool is_done = false;
	int status = -1;

	buf_append_str(&target, "/api/v1/events");
	if (feed->after.len > 0) {
		buf_append_str(&target, "?after=");
		ctl_append_encoded(&target, buf_slice(&feed->after));
	}
	request.target = buf_slice(&target);
	if (ctl_http_open(&ctl->endpoint, &request, &http, error) != OK) {
		if (!feed->is_begun)
			status = ctl_unreachable(ctl, error);
	} else if (ctl_http_status(http) != 200) {
		buf_clear(&ctl->body);
		while (!is_done && ctl_http_read(http, &ctl->body, &is_done) == OK)
			;
		/* A presence that ends, or its store that is away, comes back. */
		if (!feed->is_begun || ctl_http_status(http) != 503)
			status = ctl_refused(ctl, ctl_http_status(http));
	} else if (!ctl_http_set_timeout(http, SILENCE_MS)) {
		status = ctl_unreachable(ctl, "its timeout cannot be set");
	} else {
		feed->is_begun = true;
		follow(feed, http);
	}
	ctl_http_close(http);
	buf_fini(&target);
	return status;
}

static void wait_a_moment(void)
{
	const struct timespec moment = { .tv_sec = AGAIN_MS / 1000,
					 .tv_nsec = AGAIN_MS % 1000 * 1000000L };

	(void)nanosleep(&moment, NULL); /* cut short it is a shorter moment */
}

int ctl_run_events(struct ctl *ctl)
{
	struct feed feed = { .ctl = ctl, .left = INT64_MAX };
	int status = ctl_endpoint_init(ctl);

	if (status != CTL_EXIT_OK)
		return status;
	if (ctl_is_given(ctl, CTL_LIMIT))
		feed.left = ctl->line.limit;
	if (ctl_is_given(ctl, CTL_AFTER))
		buf_append_str(&feed.after, ctl->line.values[CTL_AFTER]);
	for (;;) {
		status = follow_once(&feed);
		if (status >= 0)
			break;
		if (feed.left == 0 || ferror(stdout) != 0) {
			status = CTL_EXIT_OK;
			break;
		}
		(void)ctl_complain(ctl, 0, NULL, SLICE("the feed has ended; again"));
		wait_a_moment();
	}
	event_stream_fini(&feed.stream);
	buf_fini(&feed.after);
	return status;
}
