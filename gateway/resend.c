/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ring of references, oldest first. Who is over the window or the queue limit is the
 * caller's to decide.
 */
#include "gateway/resend.h"

#include <assert.h>

#include "proto/base/mem.h"

#define RING_MIN 8u

void resend_init(struct resend *resend)
{
	*resend = (struct resend){ .first_id = 1, .next_id = 1 };
}

static struct blob **slot(const struct resend *resend, uint32_t index)
{
	assert(index < resend->n);
	return &resend->ring[(resend->head + index) & (resend->cap - 1)];
}

static void drop_first(struct resend *resend)
{
	struct blob *blob = *slot(resend, 0);

	resend->bytes -= blob->len;
	if (resend->next_id > resend->first_id)
		resend->given -= blob->len;
	else
		resend->next_id++;
	resend->first_id++;
	resend->head = (resend->head + 1) & (resend->cap - 1);
	resend->n--;
	blob_unref(blob);
}

void resend_fini(struct resend *resend)
{
	while (resend->n > 0)
		drop_first(resend);
	mem_free(resend->ring);
	resend->ring = NULL;
	resend->cap = 0;
}

/* ---- out */

static void grow(struct resend *resend)
{
	const uint32_t cap = resend->cap > 0 ? resend->cap * 2 : RING_MIN;
	struct blob **ring = mem_alloc(cap * sizeof(struct blob *));

	assert(cap > resend->cap);
	for (uint32_t i = 0; i < resend->n; i++)
		ring[i] = *slot(resend, i);
	mem_free(resend->ring);
	resend->ring = ring;
	resend->cap = cap;
	resend->head = 0;
}

void resend_add(struct resend *resend, struct blob *wrapped)
{
	assert(wrapped != NULL);
	if (resend->n == resend->cap)
		grow(resend);
	resend->n++;
	*slot(resend, resend->n - 1) = blob_ref(wrapped);
	resend->bytes += wrapped->len;
}

struct blob *resend_next(struct resend *resend, size_t window)
{
	const uint64_t index = resend->next_id - resend->first_id;
	struct blob *blob;

	assert(resend->next_id >= resend->first_id && index <= resend->n);
	if (index == resend->n)
		return NULL;
	blob = *slot(resend, (uint32_t)index);
	if (resend->given > 0 && resend->given + blob->len > window)
		return NULL;
	resend->given += blob->len;
	resend->next_id++;
	return blob;
}

enum err resend_on_ack(struct resend *resend, uint64_t id)
{
	/* The client may have read, before a break, what this transport was not given
	 * yet: all that is kept can be acknowledged. */
	if (id >= resend->first_id + resend->n)
		return ERR_MALFORMED;
	while (resend->n > 0 && resend->first_id <= id)
		drop_first(resend);
	return OK;
}

uint64_t resend_again(struct resend *resend)
{
	resend->next_id = resend->first_id;
	resend->given = 0;
	resend->acked = 0; /* the last Ack may not have come through */
	resend->is_out_of_step = true;
	return resend->first_id;
}

struct blob *resend_at(const struct resend *resend, uint32_t index)
{
	return *slot(resend, index);
}

void resend_put_in_front(struct resend *resend, struct resend *older, uint64_t first_id,
			 uint64_t received)
{
	struct resend newer = *resend;

	assert(newer.given == 0 && older->given == 0 && first_id > 0);
	*resend = *older;
	resend->first_id = first_id;
	resend->next_id = first_id;
	resend->received = received;
	resend->at = received;
	resend->is_out_of_step = true;
	for (uint32_t i = 0; i < newer.n; i++)
		resend_add(resend, *slot(&newer, i));
	resend_fini(&newer);
	resend_init(older);
}

/* ---- in */

bool resend_on_message(struct resend *resend)
{
	if (resend->is_out_of_step)
		return false;
	resend->at++;
	if (resend->at <= resend->received)
		return false;
	resend->received = resend->at;
	return true;
}

enum err resend_on_sequence(struct resend *resend, uint64_t id)
{
	if (id == 0 || id > resend->received + 1)
		return ERR_MALFORMED;
	resend->at = id - 1;
	resend->is_out_of_step = false;
	return OK;
}

uint64_t resend_take_ack(struct resend *resend)
{
	if (resend->received == resend->acked)
		return 0;
	resend->acked = resend->received;
	return resend->acked;
}
