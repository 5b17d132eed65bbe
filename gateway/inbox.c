/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A POST either has been given on, and its answer waits for the end of the pause that it
 * caused, or waits as a whole behind such a one. A client that goes away meanwhile has
 * still sent its bytes: without them the next POST's would make no sense.
 */
#include "gateway/inbox.h"

#include <assert.h>

#include "gateway/conn.h"
#include "gateway/conn_in.h"
#include "proto/base/buf.h"
#include "proto/base/mem.h"

struct post {
	struct list node;
	struct inbox *inbox; /* borrowed */
	struct reply *reply; /* owned; NULL: nobody waits for it */
	struct buf body;     /* empty once it is given on */
	bool is_given;
};

static void on_flush(struct loop_flush *flush);

void inbox_init(struct inbox *inbox, struct transport *transport, struct loop *loop,
		struct gateway_metrics *metrics, int64_t bytes_max)
{
	assert(bytes_max > 0);
	*inbox = (struct inbox){
		.transport = transport,
		.loop = loop,
		.metrics = metrics,
		.bytes_max = (size_t)bytes_max,
	};
	list_init(&inbox->posts);
	loop_flush_init(&inbox->flush, on_flush);
}

static void on_gone(struct reply *reply)
{
	struct post *post = reply->owner;

	post->reply = NULL;
}

static void post_add(struct inbox *inbox, struct slice body, struct reply *reply,
		     bool is_given)
{
	struct post *post = MEM_NEW(struct post);

	post->inbox = inbox;
	post->reply = reply;
	post->is_given = is_given;
	buf_append_slice(&post->body, body);
	reply->on_gone = on_gone;
	reply->owner = post;
	list_append(&inbox->posts, &post->node);
	inbox->posts_n++;
	inbox->bytes += body.len;
}

/* Answers it and takes it out. */
static void post_end(struct post *post, int status)
{
	post->inbox->posts_n--;
	post->inbox->bytes -= post->body.len;
	list_remove(&post->node);
	if (post->reply != NULL)
		reply_answer(post->reply, status, SLICE(""));
	buf_fini(&post->body);
	mem_free(post);
}

/* The connection may end, and the post with it. */
static void post_give(struct post *post)
{
	struct inbox *inbox = post->inbox;
	struct buf body = post->body;

	buf_init(&post->body);
	post->is_given = true;
	inbox->bytes -= body.len;
	conn_on_bytes(inbox->transport->conn, buf_slice(&body));
	buf_fini(&body);
}

void inbox_post(struct inbox *inbox, struct slice body, struct reply *reply)
{
	if (inbox->transport->conn == NULL) {
		reply_answer(reply, 404, SLICE(""));
		return;
	}
	inbox->metrics->post_total++;
	if (inbox->is_paused || inbox->posts_n > 0) {
		if (inbox->posts_n == INBOX_POSTS_MAX ||
		    body.len > inbox->bytes_max - inbox->bytes) {
			inbox->metrics->post_refused_total++;
			reply_answer(reply, 503, SLICE("Too many requests wait."));
			return;
		}
		inbox->metrics->in_bytes_total += body.len;
		post_add(inbox, body, reply, false);
		return;
	}
	inbox->metrics->in_bytes_total += body.len;
	if (body.len > 0)
		conn_on_bytes(inbox->transport->conn, body);
	if (inbox->transport->conn != NULL && inbox->is_paused)
		post_add(inbox, SLICE_NONE, reply, true);
	else
		reply_answer(reply, 200, SLICE(""));
}

void inbox_pause(struct inbox *inbox, bool is_paused)
{
	inbox->is_paused = is_paused;
	if (!is_paused && inbox->posts_n > 0)
		loop_touch(inbox->loop, &inbox->flush);
}

static void on_flush(struct loop_flush *flush)
{
	struct inbox *inbox = CONTAINER_OF(flush, struct inbox, flush);

	while (inbox->transport->conn != NULL && !inbox->is_paused &&
	       inbox->posts_n > 0) {
		struct post *post = CONTAINER_OF(inbox->posts.next, struct post, node);

		if (post->is_given)
			post_end(post, 200);
		else
			post_give(post);
	}
}

void inbox_close(struct inbox *inbox)
{
	loop_untouch(&inbox->flush);
	LIST_EACH (node, &inbox->posts) {
		struct post *post = CONTAINER_OF(node, struct post, node);

		post_end(post, post->is_given ? 200 : 404);
	}
	assert(inbox->posts_n == 0 && inbox->bytes == 0);
}
