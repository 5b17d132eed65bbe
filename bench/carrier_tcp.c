/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plain TCP stream, for dialects that need nothing else. It is open once the server
 * speaks or the first bytes can go; as the stream queues until it is connected, that is
 * in the turn after it was made.
 */
#include "bench/carrier.h"
#include "proto/base/mem.h"

struct tcp {
	struct carrier carrier;
	struct stream stream;
	struct timer opened;
	struct loop_defer defer;
};

static size_t on_bytes(struct stream *stream, struct slice bytes);
static void on_end(struct stream *stream, const char *why);

static const struct stream_ops stream_ops = { on_bytes, on_end };

static void on_opened(struct timer *timer)
{
	struct tcp *tcp = CONTAINER_OF(timer, struct tcp, opened);

	tcp->carrier.owner->ops->on_open(tcp->carrier.owner);
}

static struct carrier *tcp_open(struct carrier_owner *owner,
				const struct carrier_target *target, const char **why)
{
	struct tcp *tcp = MEM_NEW(struct tcp);

	if (stream_open(&tcp->stream, target->site->intake, &target->site->server,
			target->source, &stream_ops) != OK) {
		*why = err_errno_text();
		mem_free(tcp);
		return NULL;
	}
	tcp->carrier = (struct carrier){ &carrier_tcp, owner };
	timer_init(&tcp->opened, on_opened);
	loop_timer_start(target->site->intake->loop, &tcp->opened, 0);
	return &tcp->carrier;
}

static void tcp_free(struct loop_defer *defer)
{
	mem_free(CONTAINER_OF(defer, struct tcp, defer));
}

static void tcp_send(struct carrier *carrier, struct slice bytes)
{
	struct tcp *tcp = CONTAINER_OF(carrier, struct tcp, carrier);

	buf_append_slice(stream_out(&tcp->stream), bytes);
}

static void tcp_close(struct carrier *carrier)
{
	struct tcp *tcp;

	if (carrier == NULL)
		return;
	tcp = CONTAINER_OF(carrier, struct tcp, carrier);
	loop_timer_stop(tcp->stream.intake->loop, &tcp->opened);
	stream_close(&tcp->stream);
	loop_defer_free(tcp->stream.intake->loop, &tcp->defer, tcp_free);
}

static size_t on_bytes(struct stream *stream, struct slice bytes)
{
	struct tcp *tcp = CONTAINER_OF(stream, struct tcp, stream);

	tcp->carrier.owner->ops->on_bytes(tcp->carrier.owner, bytes);
	return bytes.len;
}

static void on_end(struct stream *stream, const char *why)
{
	struct carrier *carrier = &CONTAINER_OF(stream, struct tcp, stream)->carrier;
	struct carrier_owner *owner = carrier->owner;

	tcp_close(carrier);
	owner->ops->on_end(owner, why);
}

const struct carrier_ops carrier_tcp = {
	.name = "tcp",
	.has_pings = true,
	.descriptors_n = 1,
	.open = tcp_open,
	.send = tcp_send,
	.close = tcp_close,
};
