/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One long polling client. One timer runs at any time: poll_timeout while a poll waits,
 * disconnect_timeout while none does.
 *
 * Life: with a connection; closing (the connection is gone, bytes or the last 204 wait
 * for their poll); freed.
 */
#include "gateway/transport_lp.h"

#include <assert.h>
#include <string.h>

#include "gateway/conn.h"
#include "gateway/conn_out.h"
#include "gateway/queue.h"
#include "proto/base/buf.h"
#include "proto/base/mem.h"

#define PEEK_BLOBS 64

struct lp_host {
	struct loop *loop;		 /* borrowed */
	const struct gateway_conf *conf; /* borrowed */
	struct gateway_metrics *metrics; /* borrowed */
	struct map transports;		 /* by id */
	struct gateway *gateway;	 /* borrowed; for on_gone */
	lp_gone_fn *on_gone;		 /* NULL: nobody wants to know */
};

struct lp {
	struct transport transport;
	struct lp_host *host;  /* borrowed */
	const struct hub *hub; /* borrowed */
	struct map_node node;  /* in host->transports */
	char id[CONN_ID_LEN];
	struct reply *poll; /* owned; NULL: none waits */
	struct queue queue;
	/* Of a poll that came in elsewhere, until the next poll: its answer. */
	uint64_t kept_id; /* 0: none */
	struct buf kept;
	/* The last poll that was asked again; what was asked before is late. */
	struct reply_poll again;
	struct inbox inbox;
	struct timer timer;
	int64_t away_ms; /* since then no poll has waited */
	struct loop_flush flush;
	struct loop_defer defer;
	bool is_polled;	 /* the first poll was here */
	bool is_deleted; /* by the client, who wants nothing more */
	bool is_closing;
	bool is_freed;
};

static struct lp *lp_of(struct transport *transport)
{
	return CONTAINER_OF(transport, struct lp, transport);
}

/* ---- the host */

struct lp_host *lp_host_new(struct loop *loop, const struct gateway_conf *conf,
			    struct gateway_metrics *metrics, uint64_t seed)
{
	struct lp_host *host = MEM_NEW(struct lp_host);

	assert(conf != NULL && metrics != NULL);
	host->loop = loop;
	host->conf = conf;
	host->metrics = metrics;
	map_init(&host->transports, seed);
	return host;
}

void lp_host_set_on_gone(struct lp_host *host, struct gateway *gateway,
			 lp_gone_fn *on_gone)
{
	host->gateway = gateway;
	host->on_gone = on_gone;
}

static void lp_free(struct lp *lp);

void lp_host_free(struct lp_host *host)
{
	struct map_node *node;

	if (host == NULL)
		return;
	while ((node = map_next(&host->transports, NULL)) != NULL)
		lp_free(CONTAINER_OF(node, struct lp, node));
	map_fini(&host->transports);
	mem_free(host);
}

bool lp_host_is_quiet(const struct lp_host *host)
{
	struct map_node *node = NULL;

	if (host == NULL)
		return true;
	while ((node = map_next(&host->transports, node)) != NULL) {
		const struct lp *lp = CONTAINER_OF(node, struct lp, node);

		if (lp->queue.bytes > 0 &&
		    loop_now_ms(host->loop) - lp->away_ms < LP_COMES_BACK_MS)
			return false;
	}
	return true;
}

struct transport *lp_host_find(const struct lp_host *host, const struct hub *hub,
			       struct slice id)
{
	struct map_node *node = host != NULL ? map_find(&host->transports, id) : NULL;
	struct lp *lp;

	if (node == NULL)
		return NULL;
	lp = CONTAINER_OF(node, struct lp, node);
	return lp->hub == hub ? &lp->transport : NULL;
}

/* ---- answers */

/* Until the client polls. */
static void lp_wait(struct lp *lp)
{
	lp->away_ms = loop_now_ms(lp->host->loop);
	loop_timer_start(lp->host->loop, &lp->timer,
			 lp->host->conf->disconnect_timeout_ms);
}

/* The client has polled on: it has got them. */
static void forget_kept(struct lp *lp)
{
	lp->host->metrics->poll_kept_bytes -= (int64_t)lp->kept.len;
	lp->kept_id = 0;
	buf_fini(&lp->kept);
}

static void keep(struct lp *lp, uint64_t poll_id, struct slice body)
{
	lp->kept_id = poll_id;
	buf_append_slice(&lp->kept, body);
	lp->host->metrics->poll_kept_bytes += (int64_t)body.len;
}

static void lp_answer(struct lp *lp, const struct reply_answer *answer)
{
	struct reply *poll = lp->poll;

	lp->poll = NULL;
	if (poll->poll.id != 0 && answer->status == 200)
		keep(lp, poll->poll.id, answer->body);
	poll->ops->answer(poll, answer);
	lp_wait(lp);
}

static void lp_answer_empty(struct lp *lp, int status)
{
	const struct reply_answer answer = { .status = status };

	lp_answer(lp, &answer);
}

/* Takes whole blobs off the queue, as many as one answer may hold. */
static void take_queued(struct lp *lp, struct buf *body)
{
	struct iovec iov[PEEK_BLOBS];
	bool is_full = false;

	while (lp->queue.n > 0 && !is_full) {
		const int n = queue_peek(&lp->queue, iov, PEEK_BLOBS);
		size_t taken = 0;

		for (int i = 0; i < n && !is_full; i++) {
			is_full = body->len > 0 &&
				  body->len + iov[i].iov_len > LP_ANSWER_BYTES_MAX;
			if (is_full)
				break;
			buf_append(body, iov[i].iov_base, iov[i].iov_len);
			taken += iov[i].iov_len;
		}
		queue_consume(&lp->queue, taken);
		lp->host->metrics->queue_bytes -= (int64_t)taken;
	}
}

static void lp_answer_queued(struct lp *lp)
{
	struct reply_answer answer = { .status = 200, .is_binary = true };
	struct buf body = BUF_INIT;

	take_queued(lp, &body);
	answer.body = buf_slice(&body);
	lp->host->metrics->out_bytes_total += body.len;
	lp_answer(lp, &answer);
	buf_fini(&body);
}

/* ---- the end */

static void on_defer(struct loop_defer *defer)
{
	mem_free(CONTAINER_OF(defer, struct lp, defer));
}

static void lp_free(struct lp *lp)
{
	if (lp->is_freed)
		return;
	assert(lp->transport.conn == NULL);
	lp->is_freed = true;
	if (lp->poll != NULL)
		lp_answer_empty(lp, 204);
	inbox_close(&lp->inbox);
	loop_timer_stop(lp->host->loop, &lp->timer);
	loop_untouch(&lp->flush);
	map_remove(&lp->host->transports, &lp->node);
	forget_kept(lp);
	lp->host->metrics->queue_bytes -= (int64_t)lp->queue.bytes;
	queue_fini(&lp->queue);
	lp->host->metrics->lp_transports--;
	if (lp->host->on_gone != NULL)
		lp->host->on_gone(lp->host->gateway, lp->hub,
				  slice_make(lp->id, CONN_ID_LEN));
	loop_defer_free(lp->host->loop, &lp->defer, on_defer);
}

static void on_timer(struct timer *timer)
{
	struct lp *lp = CONTAINER_OF(timer, struct lp, timer);

	if (lp->poll != NULL) {
		lp->host->metrics->poll_timeout_total++;
		lp_answer_empty(lp, 200);
		return;
	}
	lp->host->metrics->lp_disconnect_total++;
	if (lp->transport.conn != NULL) {
		lp->transport.conn->is_overdue = true;
		conn_on_end(lp->transport.conn, CONN_CLOSE_TRANSPORT);
	} else {
		lp_free(lp);
	}
	assert(lp->is_freed);
}

/* Whether there was something to say. */
static bool lp_answer_poll(struct lp *lp)
{
	if (lp->queue.n > 0) {
		lp_answer_queued(lp);
		if (lp->queue.n == 0 && lp->transport.conn != NULL)
			conn_on_drained(lp->transport.conn);
	} else if (lp->is_closing)
		lp_free(lp);
	else
		return false;
	return true;
}

static void on_flush(struct loop_flush *flush)
{
	struct lp *lp = CONTAINER_OF(flush, struct lp, flush);

	if (lp->poll != NULL)
		(void)lp_answer_poll(lp);
}

/* ---- polls */

/* The client is away; when it comes back soon nothing was lost. */
static void on_poll_gone(struct reply *reply)
{
	struct lp *lp = reply->owner;

	lp->poll = NULL;
	lp_wait(lp);
}

/* As when it has waited for long enough: the client polls again. */
static void on_poll_hurry(struct reply *reply)
{
	struct lp *lp = reply->owner;

	if (!lp_answer_poll(lp))
		lp_answer_empty(lp, 200);
}

/* It comes behind itself, asked again: its answer would be nobody's. */
static bool is_late(const struct lp *lp, const struct reply_poll *poll)
{
	return poll->id != 0 && poll->id == lp->again.id &&
	       poll->doubts < lp->again.doubts;
}

static int64_t wait_ms(const struct lp *lp, const struct reply_poll *poll)
{
	const int64_t timeout_ms = lp->host->conf->poll_timeout_ms;

	return poll->wait_ms > 0 && poll->wait_ms < timeout_ms ? poll->wait_ms
							       : timeout_ms;
}

/* It was answered, and the answer may be lost. */
static void answer_again(struct lp *lp, struct reply *reply)
{
	const struct reply_answer answer = { .status = 200,
					     .is_binary = true,
					     .body = buf_slice(&lp->kept) };

	lp->host->metrics->poll_again_total++;
	reply->ops->answer(reply, &answer);
	lp_wait(lp);
}

void transport_lp_poll(struct transport *transport, struct reply *reply)
{
	struct lp *lp = lp_of(transport);

	assert(!lp->is_freed);
	lp->host->metrics->poll_total++;
	if (is_late(lp, &reply->poll)) {
		reply_answer(reply, 204, SLICE(""));
		return;
	}
	if (reply->poll.doubts > 0)
		lp->again = reply->poll;
	if (lp->kept_id != 0 && reply->poll.id == lp->kept_id) {
		answer_again(lp, reply);
		return;
	}
	forget_kept(lp);
	if (lp->poll != NULL) {
		lp->host->metrics->poll_replaced_total++;
		lp_answer_empty(lp, 204);
	}
	lp->poll = reply;
	reply->on_gone = on_poll_gone;
	reply->on_hurry = on_poll_hurry;
	reply->owner = lp;
	if (!lp->is_polled) {
		/* The client waits for it before it sends its handshake. */
		const struct reply_answer empty = { .status = 200, .is_binary = true };

		lp->is_polled = true;
		lp_answer(lp, &empty);
		return;
	}
	loop_timer_start(lp->host->loop, &lp->timer, wait_ms(lp, &reply->poll));
	loop_touch(lp->host->loop, &lp->flush);
}

void transport_lp_delete(struct transport *transport)
{
	struct lp *lp = lp_of(transport);

	assert(!lp->is_freed);
	lp->is_deleted = true;
	if (transport->conn != NULL)
		conn_on_end(transport->conn, CONN_CLOSE_CLIENT);
	else
		lp_free(lp);
	assert(lp->is_freed);
}

/* ---- what the connection asks for */

static struct blob *lp_wrap(struct slice frames, bool is_text)
{
	(void)is_text; /* an answer's bytes are what they are */
	return blob_from(frames);
}

static void lp_send(struct transport *transport, struct blob *wrapped)
{
	struct lp *lp = lp_of(transport);

	assert(!lp->is_closing);
	if (lp->is_deleted)
		return;
	queue_add(&lp->queue, wrapped);
	lp->host->metrics->queue_bytes += (int64_t)wrapped->len;
	loop_touch(lp->host->loop, &lp->flush);
}

static size_t lp_queued_bytes(const struct transport *transport)
{
	const struct lp *lp = (const struct lp *)(const void *)transport;

	/* A client whose poll waits is none that does not read. */
	return lp->poll == NULL ? lp->queue.bytes : 0;
}

/* With a poll that waits all goes into its answer, which the next one finds empty. What
 * is queued then tells, with its answer, that it was blocked no more. */
static bool lp_has_room(struct transport *transport, size_t len, size_t max)
{
	struct lp *lp = lp_of(transport);

	if (transport_fits(lp->queue.bytes, len, max))
		return true;
	if (lp->poll != NULL)
		lp_answer_queued(lp);
	return transport_fits(lp->queue.bytes, len, max);
}

static void lp_pause(struct transport *transport, bool is_paused)
{
	inbox_pause(&lp_of(transport)->inbox, is_paused);
}

static void lp_close(struct transport *transport, bool is_error)
{
	struct lp *lp = lp_of(transport);

	(void)is_error; /* a poll's end has no code; the hub Close has said why */
	assert(!lp->is_closing);
	transport->conn = NULL;
	lp->is_closing = true;
	inbox_close(&lp->inbox);
	if (lp->is_deleted)
		lp_free(lp);
	else
		loop_touch(lp->host->loop, &lp->flush);
}

static void lp_abort(struct transport *transport)
{
	transport->conn = NULL;
	lp_free(lp_of(transport));
}

static struct inbox *lp_inbox(struct transport *transport)
{
	return &lp_of(transport)->inbox;
}

const struct transport_ops transport_lp_ops = {
	.kind = LINK__TRANSPORT__TRANSPORT_LONG_POLLING,
	.is_polled = true,
	.wrap = lp_wrap,
	.send = lp_send,
	.queued_bytes = lp_queued_bytes,
	.has_room = lp_has_room,
	.inbox = lp_inbox,
	.pause = lp_pause,
	.close = lp_close,
	.abort = lp_abort,
};

/* ---- the beginning */

struct transport *transport_lp_new(struct lp_host *host, const struct hub *hub,
				   struct slice id)
{
	struct lp *lp = MEM_NEW(struct lp);

	assert(id.len == CONN_ID_LEN);
	lp->transport.ops = &transport_lp_ops;
	lp->host = host;
	lp->hub = hub;
	memcpy(lp->id, id.ptr, CONN_ID_LEN);
	queue_init(&lp->queue);
	buf_init(&lp->kept);
	inbox_init(&lp->inbox, &lp->transport, host->loop, host->metrics,
		   host->conf->post_bytes_max);
	timer_init(&lp->timer, on_timer);
	loop_flush_init(&lp->flush, on_flush);
	map_add(&host->transports, &lp->node, slice_make(lp->id, CONN_ID_LEN));
	host->metrics->lp_transports++;
	lp_wait(lp);
	return &lp->transport;
}
