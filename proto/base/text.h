/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps over the bytes of text: runs of plain characters, a block at a time, and
 * UTF-8 sequences, strictly checked. Inline, because they are the inner loops of the
 * scanners.
 */
#ifndef PROTO_BASE_TEXT_H
#define PROTO_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * A block is what one step looks at. text_block_stops() marks every byte that ends a
 * plain run: '"', '\\', controls, not ASCII; text_block_first() counts the bytes before
 * the first mark.
 */
#ifdef __SSE2__

#define TEXT_BLOCK 16

typedef signed char text_block __attribute__((vector_size(TEXT_BLOCK)));
typedef char text_block_mask __attribute__((vector_size(TEXT_BLOCK)));

static inline uint64_t text_block_stops(const char *at)
{
	text_block block;

	memcpy(&block, at, sizeof(block));
	/* Signed: what is not ASCII is below a space, too. */
	block = (block < ' ') | (block == '"') | (block == '\\');
	return (unsigned)__builtin_ia32_pmovmskb128((text_block_mask)block);
}

static inline size_t text_block_first(uint64_t stops)
{
	return (size_t)__builtin_ctzll(stops);
}

#else

#define TEXT_BLOCK 8
#define TEXT_ONES 0x0101010101010101u

/* A borrow may mark bytes above the first stop, never below it: the first is exact. */
static inline uint64_t text_block_stops(const char *at)
{
	uint64_t block;
	uint64_t quote;
	uint64_t escape;

	memcpy(&block, at, sizeof(block));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	block = __builtin_bswap64(block);
#endif
	quote = block ^ (TEXT_ONES * '"');
	escape = block ^ (TEXT_ONES * '\\');
	return (((block - TEXT_ONES * ' ') & ~block) | ((quote - TEXT_ONES) & ~quote) |
		((escape - TEXT_ONES) & ~escape) | block) &
	       (TEXT_ONES * 0x80);
}

static inline size_t text_block_first(uint64_t stops)
{
	return (size_t)__builtin_ctzll(stops) / 8;
}

#endif

static inline bool text_is_plain(char c)
{
	return c >= ' ' && c != '"' && c != '\\' && (unsigned char)c < 0x80;
}

/* Over the bytes a JSON string may hold as they are: ASCII but '"', '\\' and controls. */
static inline const char *text_plain_end(const char *at, const char *end)
{
	while (end - at >= TEXT_BLOCK) {
		uint64_t stops = text_block_stops(at);

		if (stops != 0)
			return at + text_block_first(stops);
		at += TEXT_BLOCK;
	}
	while (at < end && text_is_plain(*at))
		at++;
	return at;
}

static inline bool text_is_utf8_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/* The length of the sequence of two to four bytes at `at`; 0: not UTF-8 (RFC 3629). */
static inline size_t text_utf8_len(const char *at, const char *end)
{
	const unsigned char *s = (const unsigned char *)at;
	size_t left = (size_t)(end - at);
	unsigned second;

	if (left < 2 || s[0] < 0xc2 || s[0] > 0xf4 || !text_is_utf8_tail(s[1]))
		return 0;
	if (s[0] < 0xe0)
		return 2;
	if (left < 3 || !text_is_utf8_tail(s[2]))
		return 0;
	/* The two bytes that settle whether it is overlong, a surrogate or too large. */
	second = (unsigned)s[0] << 8 | s[1];
	if (s[0] < 0xf0)
		return second < 0xe0a0 || (second >= 0xeda0 && second < 0xee00) ? 0 : 3;
	if (left < 4 || !text_is_utf8_tail(s[3]))
		return 0;
	return second < 0xf090 || second >= 0xf490 ? 0 : 4;
}

#endif
