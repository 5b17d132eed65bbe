/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block may go whenever somebody ends something: nobody keeps a pointer to it across
 * a call that could.
 */
#include "gateway/conn_work.h"

#include <assert.h>

#include "gateway/backlog.h"
#include "gateway/conn_private.h"
#include "gateway/gateway.h"
#include "proto/base/mem.h"

struct conn_work *conn_work_need(struct conn *conn)
{
	struct conn_work *work = conn->work;

	if (work != NULL)
		return work;
	work = MEM_NEW(struct conn_work);
	work->conn = conn;
	list_init(&work->calls);
	list_init(&work->uploads);
	list_init(&work->backlog_node);
	buf_init(&work->partial);
	buf_init(&work->held);
	timer_init(&work->rate_timer, conn_on_rate_timer);
	loop_flush_init(&work->resume, conn_on_resume);
	conn_shard_init(work);
	conn->work = work;
	return work;
}

static bool is_idle(const struct conn_work *work)
{
	return list_is_empty(&work->calls) && list_is_empty(&work->uploads) &&
	       work->partial.len == 0 && work->held.len == 0 &&
	       !timer_is_running(&work->rate_timer) &&
	       !list_is_linked(&work->resume.node) &&
	       !list_is_linked(&work->backlog_node) &&
	       !session_ticket_is_waiting(&work->connected_ticket) &&
	       !session_ticket_is_waiting(&work->disconnected_tickets[0]) &&
	       !session_ticket_is_waiting(&work->disconnected_tickets[1]);
}

void conn_work_free_when_idle(struct conn *conn)
{
	if (conn->work != NULL && is_idle(conn->work))
		conn_work_free(conn);
}

void conn_work_stop(struct conn *conn)
{
	struct conn_work *work = conn->work;

	if (work == NULL)
		return;
	loop_timer_stop(conn->gateway->loop, &work->rate_timer);
	backlog_leave(conn);
	loop_untouch(&work->resume);
	buf_fini(&work->partial);
	buf_fini(&work->held);
}

void conn_work_free(struct conn *conn)
{
	struct conn_work *work = conn->work;

	if (work == NULL)
		return;
	assert(list_is_empty(&work->calls) && list_is_empty(&work->uploads));
	conn_work_stop(conn);
	session_ticket_cancel(&work->connected_ticket);
	session_ticket_cancel(&work->disconnected_tickets[0]);
	session_ticket_cancel(&work->disconnected_tickets[1]);
	conn->work = NULL;
	mem_free(work);
}
