/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Client results, on the side of the router that owns the connection: a Question becomes
 * an invocation with an id that its client answers, and the answer goes back to the
 * router that asked. hub_await.c is the other side.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "proto/base/crypto.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/link/link_remove.h"
#include "router/hub_steps.h"
#include "router/shard.h"

/* Questions that wait for the answer of one client. */
#define QUESTIONS_MAX 256

/* "s" and an uint64_t: streams of clients have no such ids by custom, and come first. */
#define ID_BYTES_MAX 24

struct question {
	struct map_node node;	/* in the runtime's questions, by id */
	struct list conn_node;	/* in conn->questions */
	struct conn *conn;	/* borrowed */
	struct link_peer *peer; /* who asks, held; NULL: ourselves */
	uint64_t call;		/* ... by that number */
	struct timer timer;
	char id[ID_BYTES_MAX];
};

void hub_questions_init(struct hub_runtime *runtime)
{
	map_init(&runtime->questions, crypto_random_uint64());
	/* A late answer to a router before us must not find a question. */
	runtime->last_question = crypto_random_uint64() >> 1;
}

void hub_questions_fini(struct hub_runtime *runtime)
{
	assert(runtime->questions.count == 0);
	map_fini(&runtime->questions);
}

/* ---- the answer */

static void answer_send(struct router *router, struct link_peer *peer,
			const Link__Answer *answer)
{
	const struct ask_answer own = { .rc = (enum err)answer->rc, .answer = answer };
	Link__Answer instead = LINK__ANSWER__INIT;

	if (peer == NULL) {
		asks_answer(&router->asks, answer->call, &own);
		return;
	}
	if (link_send_answer(peer, answer, NULL) == OK)
		return;
	instead.call = answer->call;
	instead.rc = ERR_LIMIT;
	if (link_send_answer(peer, &instead, NULL) != OK)
		log_warn("shard.answer_refused", "peer=%s", link_peer_name(peer));
}

static void question_free(struct question *question)
{
	struct conn *conn = question->conn;

	loop_timer_stop(conn->router->loop, &question->timer);
	map_remove(&conn->router->hubs->questions, &question->node);
	list_remove(&question->conn_node);
	conn->questions_n--;
	mem_free(question);
}

/* `answer` lacks nothing but its number. */
static void question_answer(struct question *question, Link__Answer *answer)
{
	struct router *router = question->conn->router;
	struct link_peer *peer = question->peer;

	answer->call = question->call;
	question_free(question);
	answer_send(router, peer, answer);
	link_peer_release(peer);
}

static void on_timer(struct timer *timer)
{
	Link__Answer answer = LINK__ANSWER__INIT;

	answer.rc = ERR_TIMEOUT;
	question_answer(CONTAINER_OF(timer, struct question, timer), &answer);
}

void hub_questions_end(struct conn *conn)
{
	while (!list_is_empty(&conn->questions)) {
		Link__Answer answer = LINK__ANSWER__INIT;

		answer.rc = ERR_CLOSED;
		question_answer(
			CONTAINER_OF(conn->questions.next, struct question, conn_node),
			&answer);
	}
}

void hub_client_completion(struct conn *conn, const Link__ClientCompletion *message)
{
	Link__Answer answer = LINK__ANSWER__INIT;
	struct map_node *node;
	struct question *question;

	if (hub_upload_completed(conn, message))
		return;
	node = map_find(&conn->router->hubs->questions, link_slice(message->id));
	if (node == NULL)
		return; /* late, or nobody's */
	question = CONTAINER_OF(node, struct question, node);
	if (question->conn != conn) {
		conn->router->metrics.answer_foreign_total++;
		hub_abort_conn(conn, SLICE("Connection closed with an error."));
		return;
	}
	answer.protocol = conn->codec->protocol;
	answer.has_error = message->has_error;
	answer.error = message->error;
	if (message->has_result)
		answer.result = message->result;
	question_answer(question, &answer);
}

/* ---- the question */

static struct question *question_new(struct conn *conn, struct link_peer *peer,
				     const Link__Question *message)
{
	struct hub_runtime *runtime = conn->router->hubs;
	struct question *question = MEM_NEW(struct question);

	question->conn = conn;
	question->peer = link_peer_hold(peer);
	question->call = message->call;
	(void)snprintf(question->id, sizeof(question->id), "s%" PRIu64,
		       ++runtime->last_question); /* it fits */
	timer_init(&question->timer, on_timer);
	list_init(&question->conn_node);
	list_append(&conn->questions, &question->conn_node);
	conn->questions_n++;
	map_add(&runtime->questions, &question->node, slice_from_str(question->id));
	loop_timer_start(conn->router->loop, &question->timer,
			 (int64_t)message->timeout_ms);
	return question;
}

/* Appends the arguments as the client's protocol has them. */
static enum err arguments_encode(const struct conn *conn, const Link__Question *message,
				 struct buf *raw)
{
	const struct hub_codec *codec = hub_codec((enum hub_protocol)message->protocol);
	struct arena arena = ARENA_INIT;
	struct value *arguments;
	enum err rc;

	if (codec == conn->codec) {
		buf_append_slice(raw, link_slice(message->arguments));
		return OK;
	}
	if (codec == NULL)
		return ERR_UNSUPPORTED;
	rc = codec->decode_value(link_slice(message->arguments), &arena, &arguments);
	if (rc == OK)
		conn->codec->encode_value(raw, arguments);
	arena_fini(&arena);
	return rc;
}

static enum err question_push(const struct question *question,
			      const Link__Question *message)
{
	const struct conn *conn = question->conn;
	Link__Push push = LINK__PUSH__INIT;
	struct buf raw = BUF_INIT;
	struct buf frame = BUF_INIT;
	enum err rc = arguments_encode(conn, message, &raw);

	if (rc != OK)
		goto out;
	hub_encode_invocation(conn->codec, &frame, slice_from_str(question->id),
			      link_slice(message->target), buf_slice(&raw));
	push.hub = message->hub;
	push.connection = message->connection;
	push.frame = link_bytes(buf_slice(&frame));
	rc = link_send_push(conn->gateway->peer, &push, NULL);
out:
	buf_fini(&frame);
	buf_fini(&raw);
	return rc;
}

void hub_question(struct router *router, struct link_peer *peer,
		  const Link__Question *message)
{
	struct conn *conn = conn_find(router, message->hub, message->connection);
	Link__Answer answer = LINK__ANSWER__INIT;
	struct question *question;
	enum err rc;

	router->metrics.question_total++;
	answer.call = message->call;
	if (conn == NULL || conn->gateway == NULL) {
		answer.rc =
			shard_is_fenced(router, peer, message->hub,
					LINK__KIND__KIND_CONNECTION, message->connection)
				? ERR_MOVED
				: ERR_NOT_FOUND;
		answer_send(router, peer, &answer);
		return;
	}
	if (conn->questions_n >= QUESTIONS_MAX) {
		router->metrics.question_refused_total++;
		answer.rc = ERR_LIMIT;
		answer_send(router, peer, &answer);
		return;
	}
	question = question_new(conn, peer, message);
	rc = question_push(question, message);
	if (rc != OK) {
		answer.rc = rc;
		question_answer(question, &answer);
	}
}
