/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head is read once for every delivery, so its digits are read eight at a time.
 */
#include "bench/payload.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define MARK '~'
#define FILLING '.'
#define WORD_DIGITS 8

static const char digits[] = "0123456789abcdef";

/* The same byte in all eight. */
#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

static char *write_word(char *out, uint32_t word)
{
	for (int i = WORD_DIGITS - 1; i >= 0; i--) {
		out[i] = digits[word & 0xf];
		word >>= 4;
	}
	return out + WORD_DIGITS;
}

static uint64_t load_little_endian(const char *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word : __builtin_bswap64(word);
}

/*
 * Eight digits, one a byte, at once. Letters have bit 6, and their low four bits are 9
 * short of their value. What that gives is turned into digits again and compared, so that
 * nothing else passes; a letter above 'f' would come back as itself, but has bit 4.
 */
static uint32_t read_word(const char *at, uint64_t *bad)
{
	const uint64_t text = load_little_endian(at);
	const uint64_t letters = text >> 6 & EACH(0x01);
	uint64_t value = (text & EACH(0x0f)) + letters * 9;
	const uint64_t above_9 = (value + EACH(0x80 - 10)) >> 7 & EACH(0x01);

	*bad |= text ^ (value + EACH('0') + above_9 * ('a' - '0' - 10));
	*bad |= value & EACH(0xf0);
	/* Nibbles to bytes, bytes to halves, halves to the word; the first is the
	 * highest. */
	value = (value << 4 | value >> 8) & UINT64_C(0x00ff00ff00ff00ff);
	value = (value << 8 | value >> 16) & UINT64_C(0x0000ffff0000ffff);
	return (uint32_t)(value << 16 | value >> 32);
}

void payload_write(char *out, size_t size, const struct payload *payload)
{
	const uint64_t due = (uint64_t)payload->due_us;
	char *at = out;

	assert(size >= PAYLOAD_BYTES_MIN);
	assert(payload->due_us >= 0);
	*at++ = MARK;
	at = write_word(at, payload->sender);
	at = write_word(at, payload->target);
	at = write_word(at, payload->seq);
	at = write_word(at, (uint32_t)(due >> 32));
	at = write_word(at, (uint32_t)due);
	assert(at - out == PAYLOAD_BYTES_MIN);
	memset(at, FILLING, size - PAYLOAD_BYTES_MIN);
}

/* All of it is alike, so it is compared with itself, one further. */
static bool is_filled(struct slice filling)
{
	return filling.len == 0 ||
	       (filling.ptr[0] == FILLING &&
		memcmp(filling.ptr, filling.ptr + 1, filling.len - 1) == 0);
}

enum err payload_read(struct slice text, struct payload *payload)
{
	const char *at = text.ptr;
	uint64_t bad = 0;
	uint64_t due;

	if (text.len < PAYLOAD_BYTES_MIN || *at++ != MARK)
		return ERR_MALFORMED;
	payload->sender = read_word(at, &bad);
	payload->target = read_word(at + WORD_DIGITS, &bad);
	payload->seq = read_word(at + 2 * WORD_DIGITS, &bad);
	due = (uint64_t)read_word(at + 3 * WORD_DIGITS, &bad) << 32;
	due |= read_word(at + 4 * WORD_DIGITS, &bad);
	if (bad != 0 || due > INT64_MAX ||
	    !is_filled(slice_from(text, PAYLOAD_BYTES_MIN)))
		return ERR_MALFORMED;
	payload->due_us = (int64_t)due;
	return OK;
}
