/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our frame parser against wslay_event, the library's own server side: what an idle
 * connection costs in memory and what a masked text frame of a client costs in time.
 * wslay runs unbuffered, which is the cheaper of its two ways; both check UTF-8. Every
 * frame of a 64 KiB read is parsed from a fresh copy; the copy's time is measured alone
 * and taken off.
 */
#include <assert.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <wslay/wslay.h>

#include "gateway/ws_frame.h"
#include "proto/base/mem.h"

#define READ_BYTES 65536u
#define ROUNDS 4000
#define CONNECTIONS 1000

struct input {
	char bytes[READ_BYTES];
	size_t len;
	size_t at; /* wslay's reading position */
	size_t frames;
	uint64_t payload_bytes; /* seen by the receiver */
};

static double now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* As many frames of `payload` ASCII bytes as fit. */
static void input_fill(struct input *input, size_t payload)
{
	uint8_t mask[4] = { 0x12, 0x34, 0xd6, 0x78 };
	char header[WS_HEADER_BYTES_MAX];
	size_t n = ws_frame_header(header, WS_TEXT, payload);

	memset(input, 0, sizeof(*input));
	header[1] = (char)(header[1] | (char)0x80);
	while (input->len + n + 4 + payload <= READ_BYTES) {
		memcpy(input->bytes + input->len, header, n);
		memcpy(input->bytes + input->len + n, mask, 4);
		input->len += n + 4;
		memset(input->bytes + input->len, 'a', payload);
		ws_frame_mask(input->bytes + input->len, payload,
			      (uint8_t[4]){ mask[0], mask[1], mask[2], mask[3] });
		input->len += payload;
		input->frames++;
	}
}

/* ---- wslay */

static ssize_t on_recv(wslay_event_context_ptr context, uint8_t *buf, size_t len,
		       int flags, void *arg)
{
	struct input *input = arg;
	size_t left = input->len - input->at;

	(void)flags; /* always 0 */
	if (left == 0) {
		wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	len = len < left ? len : left;
	memcpy(buf, input->bytes + input->at, len);
	input->at += len;
	return (ssize_t)len;
}

static ssize_t on_send(wslay_event_context_ptr context, const uint8_t *data, size_t len,
		       int flags, void *arg)
{
	(void)context, (void)data, (void)flags, (void)arg; /* a sink */
	return (ssize_t)len;
}

static void on_chunk(wslay_event_context_ptr context,
		     const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *arg)
{
	struct input *input = arg;

	(void)context; /* nothing to ask it */
	input->payload_bytes += chunk->data_length;
}

static wslay_event_context_ptr wslay_new(struct input *input)
{
	static const struct wslay_event_callbacks callbacks = {
		.recv_callback = on_recv,
		.send_callback = on_send,
		.on_frame_recv_chunk_callback = on_chunk,
	};
	wslay_event_context_ptr context;

	if (wslay_event_context_server_init(&context, &callbacks, input) != 0)
		return NULL;
	wslay_event_config_set_no_buffering(context, 1);
	return context;
}

static double wslay_frame_ns(struct input *input)
{
	wslay_event_context_ptr context = wslay_new(input);
	double start = now_ns();

	for (int i = 0; i < ROUNDS; i++) {
		input->at = 0;
		if (wslay_event_recv(context) != 0)
			return -1;
	}
	start = now_ns() - start;
	wslay_event_context_free(context);
	return start / ROUNDS / (double)input->frames;
}

static size_t wslay_idle_bytes(struct input *input)
{
	static wslay_event_context_ptr contexts[CONNECTIONS];
	size_t before = mallinfo2().uordblks;
	size_t used;

	for (int i = 0; i < CONNECTIONS; i++)
		contexts[i] = wslay_new(input);
	used = mallinfo2().uordblks - before;
	for (int i = 0; i < CONNECTIONS; i++)
		wslay_event_context_free(contexts[i]);
	return used / CONNECTIONS;
}

/* ---- ours */

/* `is_parsed` false: the copy alone. */
static double own_frame_ns(struct input *input, bool is_parsed)
{
	static char copy[READ_BYTES];
	struct ws_parser parser = { 0 };
	struct ws_event event;
	double start = now_ns();

	for (int i = 0; i < ROUNDS; i++) {
		size_t at = 0;

		memcpy(copy, input->bytes, input->len);
		__asm__ volatile("" : : "r"(copy) : "memory");
		while (is_parsed && at < input->len) {
			ssize_t n = ws_frame_next(&parser, copy + at, input->len - at,
						  &event);

			if (n <= 0)
				return -1;
			at += (size_t)n;
			input->payload_bytes += event.payload.len;
		}
	}
	return (now_ns() - start) / ROUNDS / (double)input->frames;
}

int main(void)
{
	static struct input input;
	size_t payloads[] = { 100, 4096 };
	size_t idle = wslay_idle_bytes(&input);

	printf("idle connection   wslay %6zu bytes   ours %3zu bytes   ratio %.0f\n",
	       idle, sizeof(struct ws_parser),
	       (double)idle / (double)sizeof(struct ws_parser));
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		double library;
		double own;
		uint64_t seen;

		input_fill(&input, payloads[i]);
		library = wslay_frame_ns(&input);
		seen = input.payload_bytes;
		own = own_frame_ns(&input, true) - own_frame_ns(&input, false);
		assert(library > 0 && own > 0 && input.payload_bytes == 2 * seen);
		printf("%4zu-byte frame   wslay %6.0f ns      ours %5.0f ns      ratio "
		       "%.1f\n",
		       payloads[i], library, own, library / own);
	}
	return 0;
}
