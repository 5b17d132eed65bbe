/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server's frame is its header and the bytes behind it, so reading costs a look at the
 * header; what is masked is written in words of eight.
 */
#include "bench/ws_client.h"

#include <assert.h>
#include <string.h>

#include "proto/base/crypto.h"

#define FINAL 0x80
#define RESERVED 0x70
#define OPCODE 0x0f
#define CONTROL 0x08
#define MASKED 0x80
#define LENGTH 0x7f
#define LENGTH_16 126
#define LENGTH_64 127

/* RFC 6455, section 1.3. */
static const char accept_suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

static uint64_t read_big_endian(const unsigned char *at, size_t n)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++)
		value = value << 8 | at[i];
	return value;
}

static bool is_opcode(unsigned opcode)
{
	return opcode <= WS_CLIENT_BINARY ||
	       (opcode >= WS_CLIENT_CLOSE && opcode <= WS_CLIENT_PONG);
}

/* Reads how long the payload is. Returns the header's length or as ws_client_next(). */
static ssize_t read_length(const unsigned char *at, size_t len, uint64_t *payload_len)
{
	const unsigned length = at[1] & LENGTH;
	const size_t wide = length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;

	*payload_len = length;
	if (wide == 0)
		return 2;
	if (len < 2 + wide)
		return 0;
	*payload_len = read_big_endian(at + 2, wide);
	if (*payload_len < LENGTH_16 || (wide == 8 && *payload_len <= UINT16_MAX))
		return ERR_MALFORMED;
	return (ssize_t)(2 + wide);
}

ssize_t ws_client_next(struct slice bytes, size_t payload_max,
		       struct ws_client_frame *frame)
{
	const unsigned char *at = (const unsigned char *)bytes.ptr;
	uint64_t payload_len;
	ssize_t header;

	if (bytes.len < 2)
		return 0;
	if ((at[0] & RESERVED) != 0 || (at[1] & MASKED) != 0 ||
	    !is_opcode(at[0] & OPCODE))
		return ERR_MALFORMED;
	if ((at[0] & CONTROL) != 0 &&
	    ((at[0] & FINAL) == 0 || at[1] > WS_CLIENT_CONTROL_BYTES_MAX))
		return ERR_MALFORMED;
	header = read_length(at, bytes.len, &payload_len);
	if (header <= 0)
		return header;
	if (payload_len > payload_max)
		return ERR_LIMIT;
	if (bytes.len - (size_t)header < payload_len)
		return 0;
	frame->opcode = (enum ws_client_opcode)(at[0] & OPCODE);
	frame->is_final = (at[0] & FINAL) != 0;
	frame->payload = slice_make(bytes.ptr + header, (size_t)payload_len);
	return header + (ssize_t)payload_len;
}

/* ---- writing */

static size_t write_header(unsigned char *out, enum ws_client_opcode opcode, size_t len)
{
	size_t wide = len < LENGTH_16 ? 0 : len <= UINT16_MAX ? 2 : 8;

	out[0] = (unsigned char)(FINAL | opcode);
	out[1] = (unsigned char)(MASKED | (wide == 0   ? len
					   : wide == 2 ? LENGTH_16
						       : LENGTH_64));
	for (size_t i = 0; i < wide; i++)
		out[2 + i] = (unsigned char)((uint64_t)len >> (8 * (wide - 1 - i)));
	return 2 + wide;
}

static void mask_copy(char *out, struct slice from, uint32_t mask)
{
	const uint64_t wide = (uint64_t)mask << 32 | mask;
	size_t i = 0;

	for (; i + sizeof(wide) <= from.len; i += sizeof(wide)) {
		uint64_t word;

		memcpy(&word, from.ptr + i, sizeof(word));
		word ^= wide;
		memcpy(out + i, &word, sizeof(word));
	}
	for (; i < from.len; i++) {
		unsigned char key;

		memcpy(&key, (const char *)&mask + i % sizeof(mask), 1);
		out[i] = (char)((unsigned char)from.ptr[i] ^ key);
	}
}

void ws_client_write(struct buf *out, enum ws_client_opcode opcode, struct slice payload,
		     uint32_t mask)
{
	char *at = buf_reserve(out, WS_CLIENT_HEADER_BYTES_MAX + payload.len);
	size_t n = write_header((unsigned char *)at, opcode, payload.len);

	assert((opcode & CONTROL) == 0 || payload.len <= WS_CLIENT_CONTROL_BYTES_MAX);
	memcpy(at + n, &mask, sizeof(mask));
	n += sizeof(mask);
	mask_copy(at + n, payload, mask);
	out->len += n + payload.len;
}

/* ---- the opening */

static void write_base64(struct slice bytes, char *out, size_t len)
{
	struct buf text = BUF_INIT;

	crypto_base64_encode(&text, bytes);
	assert(text.len == len);
	memcpy(out, text.ptr, len);
	buf_fini(&text);
}

void ws_client_key(const uint8_t nonce[16], char key[WS_CLIENT_KEY_BYTES])
{
	write_base64(slice_make((const char *)nonce, 16), key, WS_CLIENT_KEY_BYTES);
}

void ws_client_accept(const char key[WS_CLIENT_KEY_BYTES],
		      char accept[WS_CLIENT_ACCEPT_BYTES])
{
	char text[WS_CLIENT_KEY_BYTES + sizeof(accept_suffix)];
	uint8_t digest[CRYPTO_SHA1_BYTES];

	memcpy(text, key, WS_CLIENT_KEY_BYTES);
	memcpy(text + WS_CLIENT_KEY_BYTES, accept_suffix, sizeof(accept_suffix));
	crypto_sha1(slice_make(text, sizeof(text) - 1), digest);
	write_base64(slice_make((const char *)digest, sizeof(digest)), accept,
		     WS_CLIENT_ACCEPT_BYTES);
}
