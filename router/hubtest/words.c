/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubtest/words.h"

#include "proto/wire/value.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The length of the word at the front; 0: it has no end. */
static size_t word_len(struct slice rest)
{
	size_t depth = 0;
	bool is_quoted = false;
	size_t i = 0;

	for (; i < rest.len && (is_quoted || depth > 0 || !is_blank(rest.ptr[i])); i++) {
		const char c = rest.ptr[i];

		if (is_quoted && c == '\\' && i + 1 < rest.len)
			i++;
		else if (c == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && (c == '[' || c == '{'))
			depth++;
		else if (!is_quoted && (c == ']' || c == '}') && depth > 0)
			depth--;
	}
	return is_quoted || depth > 0 ? 0 : i;
}

enum err words_split(struct slice line, struct words *words)
{
	struct slice rest = slice_trim(line);

	words->n = 0;
	while (rest.len > 0) {
		const size_t len = word_len(rest);

		if (len == 0)
			return ERR_MALFORMED;
		if (words->n == WORDS_MAX)
			return ERR_LIMIT;
		words->items[words->n++] = slice_make(rest.ptr, len);
		rest = slice_trim(slice_from(rest, len));
	}
	return OK;
}

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c != '\0' && strchr("._:/@+-", c) != NULL);
}

void words_write(struct buf *out, struct slice text)
{
	const struct value quoted = { .type = VALUE_STRING, .bytes = text };
	size_t i = 0;

	while (i < text.len && is_plain(text.ptr[i]))
		i++;
	if (i == text.len && i > 0)
		buf_append_slice(out, text);
	else
		value_encode_json(out, &quoted);
}
