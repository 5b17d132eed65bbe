/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the hub runtime do for each other, in the order of a call's life.
 */
#ifndef ROUTER_HUB_STEPS_H
#define ROUTER_HUB_STEPS_H

#include <stdarg.h>

#include "router/hub_private.h"

/* Of one frame for a client: in a Complete or Push there is room for so much beside ids
 * and names. */
#define HUB_FRAME_BYTES_MAX (LINK_ENVELOPE_BYTES_MAX - 8192u)

/* ---- hub_queue.c */

/* Lets those run of the connection's calls whose turn it is. */
void hub_queue_advance(struct conn *conn);

/* The method has returned, or will not run; the call may be freed. */
void hub_call_over(struct hub_call *call);

/* One of its sends is confirmed, or will not be. */
void hub_call_confirmed(struct hub_call *call, enum err rc);

/* Its awaits return HUB_ECANCELED from now on, the one under way, too. */
void hub_call_cancel(struct hub_call *call);

/* Ends the connection: hub Close with `error`, ptr NULL: none. */
void hub_abort_conn(struct conn *conn, struct slice error);

/* ---- hub_runtime.c */

/* It starts, or goes on, at the end of the turn. */
void hub_call_ready(struct hub_call *call);

/* What it waits for has, perhaps, come. */
void hub_call_wake(struct hub_call *call);

/* Stops the fiber until somebody wakes it: the caller looks again at what it waits for.
 */
void hub_call_pause(struct hub_call *call);

/* ---- hub_log.c */

/* A rule of the API is broken by the method that runs, at `what`: its call will fail. */
void hub_misuse(const struct hub_call *call, const char *what);

void hub_counters_open(struct hub_served *hub, struct router_metrics *metrics);

/* ---- hub_bind.c */

const struct hub_method *hub_method_find(const struct hub_module *module,
					 struct slice name);

/* May the method run, and does everything fit? Reads the arguments. False: no, and the
 * refusal is there. */
MUST_CHECK bool hub_call_bind(struct hub_call *call);

/* Ends it before its method ran: `before` and `after` the name, as SignalR says it. */
void hub_call_refuse(struct hub_call *call, const char *before, struct slice after);

/* Shows clients what went wrong inside. */
bool hub_is_detailed(const struct hub_call *call);

/* ---- hub_value.c */

/* A hub may put what it got at full depth into containers of its own. */
#define HUB_VALUE_DEPTH_MAX ((size_t)2 * VALUE_DEPTH_MAX)

struct slice hub_vprintf(struct arena *arena, const char *fmt, va_list args)
	PRINTF_LIKE(2, 0);

/* ---- hub_await.c */

/* Ends the question under way with HUB_ECANCELED. */
void hub_wait_cancel(struct hub_call *call);

/* ---- hub_stream.c */

/* Nobody waits for the items' confirmations any more. */
void hub_items_forget(struct hub_call *call);

/* ---- hub_upload.c */

/* How many streams its arguments have. */
size_t hub_method_streams(const struct hub_method *method);

/* The call takes in items of the client's streams. */
void hub_uploads_open(struct hub_call *call, const Link__Invoke *invoke);
void hub_uploads_close(struct hub_call *call);

/* What methods took in this turn. */
void hub_credits_send(struct hub_runtime *runtime);

/* False: no stream of that name is under way. */
MUST_CHECK bool hub_upload_completed(struct conn *conn,
				     const Link__ClientCompletion *message);

/* ---- hub_client.c */

void hub_questions_init(struct hub_runtime *runtime);
void hub_questions_fini(struct hub_runtime *runtime); /* none may be left */

/* The client will not answer any more. */
void hub_questions_end(struct conn *conn);

/* ---- hub_answer.c */

/* Whether it counts as failed. */
bool hub_call_has_failed(const struct hub_call *call);

/* Appends the completion frame that tells what became of the call; one too long for a
 * link becomes an error. */
void hub_call_encode(struct hub_call *call, struct buf *frame);

#endif
