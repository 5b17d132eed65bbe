/* SPDX-License-Identifier: Apache-2.0 */
#include "router/hubgen/names.h"

#include <stdbool.h>

#define DISTANCE_BYTES_MAX 64

/* Words of C, and macros that headers have. What generated functions have inside ends in
 * "_", as no name of a file does. */
static const char *const c_words[] = {
	"asm",	  "assert",   "auto",	 "bool",     "break",	 "case",     "char",
	"const",  "continue", "default", "do",	     "double",	 "else",     "enum",
	"errno",  "extern",   "false",	 "float",    "for",	 "goto",     "if",
	"inline", "int",      "linux",	 "long",     "offsetof", "register", "restrict",
	"return", "short",    "signed",	 "sizeof",   "static",	 "stderr",   "stdin",
	"stdout", "struct",   "switch",	 "true",     "typedef",	 "typeof",   "union",
	"unix",	  "unsigned", "void",	 "volatile", "while"
};

static const char *const server_words[] = { "call", "result", "result_n" };
static const char *const client_words[] = { "call",	"connection_id", "result",
					    "result_n", "timeout_ms",	 "to" };

static const char *const ts_words[] = {
	"arguments", "await",	   "break",	"case",	   "catch",	 "class",
	"const",     "continue",   "debugger",	"default", "delete",	 "do",
	"else",	     "enum",	   "eval",	"export",  "extends",	 "false",
	"finally",   "for",	   "function",	"if",	   "implements", "import",
	"in",	     "instanceof", "interface", "let",	   "new",	 "null",
	"package",   "private",	   "protected", "public",  "return",	 "static",
	"super",     "switch",	   "this",	"throw",   "true",	 "try",
	"typeof",    "var",	   "void",	"while",   "with",	 "yield",
};

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char to_lower(char c)
{
	return (char)(is_upper(c) ? c - 'A' + 'a' : c);
}

static char to_upper(char c)
{
	return (char)(is_lower(c) ? c - 'a' + 'A' : c);
}

/* Does a word begin at `i`, inside the name? */
static bool is_word_start(struct slice name, size_t i)
{
	const char before = name.ptr[i - 1];

	if (!is_upper(name.ptr[i]))
		return false;
	if (is_lower(before) || is_digit(before))
		return true;
	/* The last of several capitals begins the next word: HTTPPort. */
	return is_upper(before) && i + 1 < name.len && is_lower(name.ptr[i + 1]);
}

const char *name_snake(struct arena *arena, struct slice name)
{
	char *text = arena_alloc(arena, 2 * name.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < name.len; i++) {
		const char c = name.ptr[i];
		const bool is_plain = is_upper(c) || is_lower(c) || is_digit(c);

		if (i > 0 && is_word_start(name, i))
			text[n++] = '_';
		text[n++] = (char)(is_plain ? to_lower(c) : '_');
	}
	text[n] = '\0';
	return text;
}

const char *name_upper(struct arena *arena, struct slice name)
{
	const char *snake = name_snake(arena, name);
	char *text = arena_alloc(arena, strlen(snake) + 1);

	for (size_t i = 0; i <= strlen(snake); i++)
		text[i] = to_upper(snake[i]);
	return text;
}

const char *name_camel(struct arena *arena, struct slice name)
{
	char *text = arena_alloc(arena, name.len + 1);
	bool is_start = true;
	size_t n = 0;

	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '-' || name.ptr[i] == '_') {
			is_start = true;
			continue;
		}
		text[n++] = is_start ? to_upper(name.ptr[i]) : name.ptr[i];
		is_start = false;
	}
	text[n] = '\0';
	return text;
}

const char *name_prefixed(struct arena *arena, const char *prefix, struct slice name)
{
	const char *snake = name_snake(arena, name);
	const size_t len = strlen(prefix);

	if (strncmp(snake, prefix, len) == 0 && (snake[len] == '_' || snake[len] == '\0'))
		return snake;
	return arena_printf(arena, "%s_%s", prefix, snake).ptr;
}

static bool is_one_of(struct slice name, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (slice_equal(name, slice_from_str(words[i])))
			return true;
	}
	return false;
}

#define IS_ONE_OF(name, words) is_one_of(name, words, sizeof(words) / sizeof((words)[0]))

const char *name_part(struct arena *arena, struct slice name, enum name_place place)
{
	const struct slice snake = slice_from_str(name_snake(arena, name));

	if (IS_ONE_OF(snake, c_words) ||
	    (place == NAME_IN_SERVER && IS_ONE_OF(snake, server_words)) ||
	    (place == NAME_IN_CLIENT && IS_ONE_OF(snake, client_words)))
		return arena_printf(arena, "%s_", snake.ptr).ptr;
	return snake.ptr;
}

struct slice name_argument(struct arena *arena, struct slice name)
{
	if (IS_ONE_OF(name, ts_words))
		return arena_printf(arena, "%.*s_", SLICE_FMT(name));
	return name;
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t name_distance(struct slice a, struct slice b)
{
	size_t row[DISTANCE_BYTES_MAX +
		   1]; /* Levenshtein's, of the letters of a so far */

	a.len = min(a.len, DISTANCE_BYTES_MAX);
	b.len = min(b.len, DISTANCE_BYTES_MAX);
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 0; i < a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < b.len; j++) {
			const size_t above = row[j + 1];
			const size_t changed =
				diagonal + (to_lower(a.ptr[i]) != to_lower(b.ptr[j]));

			row[j + 1] = min(changed, min(above, row[j]) + 1);
			diagonal = above;
		}
	}
	return row[b.len];
}
