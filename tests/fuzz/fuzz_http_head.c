/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request head, its query and path, and a chunked body behind it. A prefix of a head
 * must give "need more" or the verdict of the whole, and a body must come out the same
 * however it is cut: a reader that depends on how bytes arrive can be led to see another
 * request than its neighbour. Input: two bytes say where to cut, the rest is the stream.
 */
#include <string.h>

#include "proto/base/http_parse.h"
#include "tests/fuzz/fuzz.h"

#define BODY_BYTES_MAX 4096u

static void check_refusal(const struct http_request *request, ssize_t rc)
{
	switch (request->refusal) {
	case 400:
		assert(rc == ERR_MALFORMED);
		break;
	case 414:
	case 431:
		assert(rc == ERR_LIMIT);
		break;
	default:
		assert(request->refusal == 417 || request->refusal == 501 ||
		       request->refusal == 505);
		assert(rc == ERR_UNSUPPORTED);
	}
}

/* What the server and its handlers rely on. */
static void check_request(const struct http_request *request, struct slice head)
{
	assert(head.len <= HTTP_HEAD_BYTES_MAX);
	assert(head.len >= 4 && memcmp(head.ptr + head.len - 4, "\r\n\r\n", 4) == 0);
	assert(request->refusal == 0);
	assert(request->method.len > 0 && fuzz_is_inside(request->method, head));
	assert(request->target.len > 0 && fuzz_is_inside(request->target, head));
	assert(request->path.len > 0 && fuzz_is_inside(request->path, request->target));
	assert(fuzz_is_inside(request->query, request->target));
	assert(request->headers_n <= HTTP_HEADERS_MAX);
	assert(!request->is_chunked || request->content_length == 0);
	assert(request->content_length <= INT64_MAX);
	for (size_t i = 0; i < request->headers_n; i++) {
		const struct http_header *header = &request->headers[i];

		assert(header->name.len > 0 && fuzz_is_inside(header->name, head));
		assert(fuzz_is_inside(header->value, head));
		assert(slice_find(header->value, '\r') < 0);
		assert(slice_find(header->value, '\n') < 0);
		assert(slice_find(header->value, '\0') < 0);
		assert(http_header_find(request, header->name).ptr != NULL);
	}
}

static void check_text(struct slice text, size_t len_max)
{
	assert(text.len <= len_max);
	assert(text.ptr[text.len] == '\0');
	assert(slice_find(text, '\0') < 0);
}

static void check_target(const struct http_request *request)
{
	static const char *const keys[] = { "id", "access_token", "negotiateVersion" };
	struct arena arena = ARENA_INIT;
	struct slice value;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (http_query_find(request->query, slice_from_str(keys[i]), &arena,
				    &value) == OK)
			check_text(value, request->query.len);
	}
	if (http_path_decode(request->path, &arena, &value) == OK)
		check_text(value, request->path.len);
	arena_fini(&arena);
}

static ssize_t check_head(struct slice stream, size_t cut)
{
	struct http_request whole;
	struct http_request part;
	const ssize_t rc = http_parse_request(stream.ptr, stream.len, &whole);
	ssize_t early;

	if (rc > 0) {
		check_request(&whole, slice_make(stream.ptr, (size_t)rc));
		check_target(&whole);
	} else if (rc < 0) {
		check_refusal(&whole, rc);
	} else {
		assert(stream.len < HTTP_HEAD_BYTES_MAX && whole.refusal == 0);
	}
	if (cut > stream.len)
		cut = stream.len;
	early = http_parse_request(stream.ptr, cut, &part);
	assert(early == 0 || early == rc);
	assert(early == 0 || part.refusal == whole.refusal);
	assert(rc <= 0 || (early == rc) == (cut >= (size_t)rc));
	return rc;
}

struct decoded {
	struct buf body;
	size_t used;
	ssize_t rc; /* < 0: the error */
	bool is_done;
};

/* `seed` 0: in one piece. */
static void decode(struct decoded *decoded, struct slice bytes, uint32_t seed)
{
	struct http_chunked state = { 0 };

	*decoded = (struct decoded){ .body = BUF_INIT };
	while (decoded->used < bytes.len && decoded->rc >= 0 && !decoded->is_done) {
		const size_t left = bytes.len - decoded->used;
		const size_t len = seed == 0 ? left : fuzz_piece(&seed, left);

		decoded->rc = http_chunked_decode(&state, bytes.ptr + decoded->used, len,
						  BODY_BYTES_MAX, &decoded->body,
						  &decoded->is_done);
		assert(decoded->body.len <= BODY_BYTES_MAX);
		if (decoded->rc < 0)
			return;
		assert(decoded->is_done ? (size_t)decoded->rc <= len
					: (size_t)decoded->rc == len);
		decoded->used += (size_t)decoded->rc;
	}
}

/* ---- RFC 9112 7.1 once more, plainly */

/* The size line at the front, behind which `*bytes` stands then. 0: not whole. */
static enum err read_size(struct slice *bytes, uint64_t room, bool *is_whole,
			  uint64_t *size)
{
	*size = 0;
	*is_whole = false;
	for (size_t i = 0, digits = 0; i < bytes->len; i++) {
		const char c = bytes->ptr[i];
		const bool is_extended = digits < i;

		if (i == HTTP_CHUNK_LINE_MAX)
			return ERR_MALFORMED;
		if (!is_extended && http_hex_value(c) >= 0) {
			*size = *size * 16 + (uint64_t)http_hex_value(c);
			digits++;
			if (*size > room)
				return ERR_LIMIT;
		} else if (digits == 0) {
			return ERR_MALFORMED;
		} else if (c == '\r') {
			if (i + 1 < bytes->len && bytes->ptr[i + 1] != '\n')
				return ERR_MALFORMED;
			*is_whole = i + 1 < bytes->len;
			*bytes = slice_from(*bytes, i + 2);
			return OK;
		} else if (!is_extended ? c != ';'
					: (c < ' ' && c != '\t' && c >= 0) || c == 0x7f) {
			return ERR_MALFORMED;
		}
	}
	return OK;
}

/* CRLF, as far as it is there. */
static bool take_line_end(struct slice *bytes)
{
	const struct slice end = fuzz_take(bytes, 2);

	return slice_starts_with(SLICE("\r\n"), end);
}

static void decode_plainly(struct decoded *decoded, struct slice bytes)
{
	const struct slice all = bytes;
	uint64_t size;
	bool is_whole;

	*decoded = (struct decoded){ .body = BUF_INIT };
	do {
		decoded->rc = read_size(&bytes, BODY_BYTES_MAX - decoded->body.len,
					&is_whole, &size);
		if (decoded->rc != OK || !is_whole)
			return;
		buf_append_slice(&decoded->body, fuzz_take(&bytes, size));
		is_whole = bytes.len >= 2;
		if (!take_line_end(&bytes))
			decoded->rc = ERR_MALFORMED;
	} while (decoded->rc == OK && is_whole && size > 0);
	decoded->is_done = decoded->rc == OK && is_whole && size == 0;
	decoded->used = all.len - bytes.len;
}

static void check_chunked(struct slice bytes, uint32_t seed)
{
	struct decoded whole;
	struct decoded cut;
	struct decoded plain;

	decode(&whole, bytes, 0);
	decode(&cut, bytes, seed | 1);
	assert(slice_equal(buf_slice(&whole.body), buf_slice(&cut.body)));
	assert(whole.is_done == cut.is_done);
	assert((whole.rc < 0) == (cut.rc < 0));
	if (whole.rc < 0)
		assert(whole.rc == cut.rc);
	else
		assert(whole.used == cut.used);
	decode_plainly(&plain, bytes);
	assert(whole.is_done == plain.is_done);
	assert((whole.rc < 0 ? whole.rc : OK) == plain.rc);
	assert(slice_equal(buf_slice(&whole.body), buf_slice(&plain.body)));
	assert(!plain.is_done || plain.used == whole.used);
	buf_fini(&plain.body);
	buf_fini(&whole.body);
	buf_fini(&cut.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice stream = fuzz_slice(data, size);
	const uint32_t cut = (uint32_t)fuzz_number(&stream, 2);
	const ssize_t rc = check_head(stream, cut);

	/* Without a head all of it is a body, too: no need to get both right at once. */
	check_chunked(slice_from(stream, rc > 0 ? (size_t)rc : 0), cut);
	return 0;
}
