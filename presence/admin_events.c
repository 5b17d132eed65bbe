/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits for a watcher is bounded: past events_queue_max the feed pauses for it, and
 * goes on where it was when all is written; the store remembers meanwhile. One for whom
 * nothing moves is closed, and comes back with the id it has got to.
 */
#include "presence/admin_events.h"

#include <assert.h>

#include "presence/admin_handlers.h"
#include "presence/admin_private.h"
#include "presence/feed.h"
#include "presence/json_put.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"

/* Keeps proxies from taking the silence for an end; twice without a byte moved is the end
 * of a watcher. */
#define PING_MS 15000
#define READ_BYTES 1024

#define HEADERS "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n"
/* A first line, by which clients learn that the stream is open, and how soon to return.
 */
#define FIRST ":\nretry: 1000\n\n"

struct watcher {
	struct feed_watcher feed;
	struct admin *admin; /* borrowed */
	struct list node;    /* in admin->watchers */
	struct sock sock;
	struct loop_flush flush;
	struct loop_defer defer;
	struct timer timer;
	struct buf out;
	size_t out_at; /* so much of it is written */
	bool is_blocked;
	bool is_paused;
	bool has_moved; /* since the last ping */
};

static struct loop *loop_of(const struct watcher *watcher)
{
	return watcher->admin->presence->loop;
}

/* ---- the end */

static void on_defer(struct loop_defer *defer)
{
	struct watcher *watcher = CONTAINER_OF(defer, struct watcher, defer);

	buf_fini(&watcher->out);
	mem_free(watcher);
}

static void watcher_close(struct watcher *watcher)
{
	struct admin *admin = watcher->admin;

	feed_remove(&watcher->feed);
	loop_timer_stop(loop_of(watcher), &watcher->timer);
	loop_untouch(&watcher->flush);
	sock_fini(&watcher->sock);
	list_remove(&watcher->node);
	admin->presence->metrics.events_watchers--;
	loop_defer_free(loop_of(watcher), &watcher->defer, on_defer);
}

void admin_events_close(struct admin *admin)
{
	LIST_EACH (node, &admin->watchers)
		watcher_close(CONTAINER_OF(node, struct watcher, node));
}

/* ---- what is told */

static const char *change_name(enum store_change change)
{
	switch (change) {
	case STORE_ONLINE:
		return "online";
	case STORE_OFFLINE:
		return "offline";
	case STORE_RESET:
		break;
	}
	return "reset";
}

void admin_event_write(struct buf *out, const struct store_event *event)
{
	buf_appendf(out, "event: %s\n", change_name(event->change));
	if (event->id.len > 0)
		buf_appendf(out, "id: %.*s\n", SLICE_FMT(event->id));
	buf_append_str(out, "data: {");
	if (event->change != STORE_RESET) {
		json_put_text(out, "userId", event->user_id);
		json_put_text(out, "userName", event->user_name);
	}
	json_put_time(out, "at", event->at_unix_ms);
	buf_append_str(out, "}\n\n");
}

static void on_event(struct feed_watcher *feed, const struct store_event *event)
{
	struct watcher *watcher = CONTAINER_OF(feed, struct watcher, feed);
	const int64_t queue_max = watcher->admin->presence->conf->events_queue_max;

	admin_event_write(&watcher->out, event);
	if ((int64_t)(watcher->out.len - watcher->out_at) >= queue_max) {
		watcher->is_paused = true;
		feed_pause(&watcher->feed);
	}
	loop_touch(loop_of(watcher), &watcher->flush);
}

/* ---- the socket */

static void on_written(struct watcher *watcher)
{
	buf_clear(&watcher->out);
	watcher->out_at = 0;
	if (!watcher->is_paused)
		return;
	watcher->is_paused = false;
	feed_resume(&watcher->feed);
}

static void on_flush(struct loop_flush *flush)
{
	struct watcher *watcher = CONTAINER_OF(flush, struct watcher, flush);
	const size_t left = watcher->out.len - watcher->out_at;
	ssize_t n;

	if (left == 0 || watcher->is_blocked)
		return;
	n = sock_send(&watcher->sock, watcher->out.ptr + watcher->out_at, left);
	if (n < 0 && n != ERR_AGAIN) {
		watcher_close(watcher);
		return;
	}
	if (n > 0) {
		watcher->out_at += (size_t)n;
		watcher->has_moved = true;
	}
	watcher->is_blocked = watcher->out_at < watcher->out.len;
	sock_want(&watcher->sock,
		  watcher->is_blocked ? LOOP_READ | LOOP_WRITE : LOOP_READ);
	if (!watcher->is_blocked)
		on_written(watcher);
}

/* A watcher has nothing to say but that it is gone. */
static bool is_gone(struct watcher *watcher)
{
	char bytes[READ_BYTES];
	const ssize_t n = sock_recv(&watcher->sock, bytes, sizeof(bytes));

	return n <= 0 && n != ERR_AGAIN;
}

static void on_io(struct loop_io *io, unsigned ready)
{
	struct watcher *watcher = CONTAINER_OF(io, struct watcher, sock.io);

	if (ready & LOOP_WRITE) {
		watcher->is_blocked = false;
		loop_touch(loop_of(watcher), &watcher->flush);
	}
	if ((ready & LOOP_READ) && is_gone(watcher))
		watcher_close(watcher);
}

static void on_timer(struct timer *timer)
{
	struct watcher *watcher = CONTAINER_OF(timer, struct watcher, timer);

	if (watcher->is_blocked && !watcher->has_moved) {
		watcher->admin->presence->metrics.events_slow_total++;
		watcher_close(watcher);
		return;
	}
	watcher->has_moved = false;
	if (!watcher->is_blocked)
		buf_append_str(&watcher->out, ":\n\n");
	loop_touch(loop_of(watcher), &watcher->flush);
	loop_timer_start(loop_of(watcher), &watcher->timer, PING_MS);
}

/* ---- the beginning */

/* What the header says wins: a browser that comes back knows better than its address. */
static enum err read_after(struct admin *admin, const struct http_request *http,
			   struct slice *after)
{
	const enum err rc =
		http_query_find(http->query, SLICE("after"), &admin->arena, after);

	if (rc == ERR_NOT_FOUND)
		*after = SLICE_NONE;
	else if (rc != OK)
		return rc;
	if (http_header_count(http, SLICE("last-event-id")) > 0)
		*after = http_header_find(http, SLICE("last-event-id"));
	return after->len <= FEED_ID_BYTES_MAX ? OK : ERR_LIMIT;
}

static void watcher_new(struct admin *admin, struct http_conn *conn, struct slice after)
{
	const struct http_response response = { .status = 200,
						.content_type = "text/event-stream",
						.headers = SLICE(HEADERS) };
	struct watcher *watcher = MEM_NEW(struct watcher);
	struct buf rest = BUF_INIT;

	watcher->admin = admin;
	list_init(&watcher->node);
	list_append(&admin->watchers, &watcher->node);
	loop_flush_init(&watcher->flush, on_flush);
	timer_init(&watcher->timer, on_timer);
	http_head_encode(conn, &response, &watcher->out);
	buf_append_str(&watcher->out, FIRST);
	http_take_over(conn, &watcher->sock, on_io, &rest);
	buf_fini(&rest); /* nobody asks anything behind it */
	sock_want(&watcher->sock, LOOP_READ);
	loop_timer_start(loop_of(watcher), &watcher->timer, PING_MS);
	loop_touch(loop_of(watcher), &watcher->flush);
	admin->presence->metrics.events_watchers++;
	feed_add(&admin->presence->feed, &watcher->feed, after, on_event);
}

void admin_on_events(struct admin *admin, const struct admin_request *request)
{
	struct presence *presence = admin->presence;
	struct slice after;

	if (read_after(admin, request->http, &after) != OK) {
		admin_refuse(admin, request, ADMIN_BAD_REQUEST,
			     "after and Last-Event-ID are ids of events.");
	} else if (slice_equal(request->http->method, SLICE("HEAD"))) {
		const struct http_response head = { .status = 200,
						    .content_type = "text/event-stream",
						    .headers = SLICE(HEADERS) };

		http_respond(request->conn, &head);
	} else if (presence->metrics.events_watchers >=
		   presence->conf->events_watchers_max) {
		presence->metrics.events_refused_total++;
		log_warn("events.refused", "events_watchers_max=%lld",
			 (long long)presence->conf->events_watchers_max);
		admin_refuse(admin, request, ADMIN_BUSY,
			     "events_watchers_max are watching.");
	} else {
		watcher_new(admin, request->conn, after);
	}
}
