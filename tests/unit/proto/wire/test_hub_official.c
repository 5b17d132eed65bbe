/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our MessagePack against the official libraries': a fixture of messages as they write
 * them (tests/wire/data/msgpack.js says how it is made) is read and written here, to the
 * byte. That the official client reads the same bytes is tests/wire/msgpack.test.js.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/wire/hub_codec.h"

#define FIXTURE "tests/wire/data/msgpack.txt"
#define ROWS_MIN 60

static struct arena arena;

static struct slice unhex(struct slice hex)
{
	char *bytes = arena_alloc(&arena, hex.len / 2);

	cr_assert_eq(hex.len % 2, 0);
	for (size_t i = 0; i < hex.len; i += 2) {
		char digits[3] = { hex.ptr[i], hex.ptr[i + 1], '\0' };
		char *end;

		bytes[i / 2] = (char)strtoul(digits, &end, 16);
		cr_assert_eq(*end, '\0', "%s", digits);
	}
	return slice_make(bytes, hex.len / 2);
}

static void expect_transcoded(struct slice name, enum hub_protocol from,
			      struct slice frame, enum hub_protocol to,
			      struct slice expected)
{
	struct buf out = BUF_INIT;

	cr_assert_eq(hub_transcode(hub_codec(from), frame, hub_codec(to), &arena, &out),
		     OK, "%.*s", SLICE_FMT(name));
	cr_assert(slice_equal(buf_slice(&out), expected), "%.*s", SLICE_FMT(name));
	buf_fini(&out);
}

static void check_row(struct slice line)
{
	const struct slice name = slice_cut(&line, '\t');
	const struct slice official = unhex(slice_cut(&line, '\t'));
	const struct slice text = slice_cut(&line, '\t');
	const struct slice ours = unhex(slice_cut(&line, '\n'));
	const struct slice json = arena_printf(&arena, "%.*s\x1e", SLICE_FMT(text));

	expect_transcoded(name, HUB_PROTOCOL_MSGPACK, official, HUB_PROTOCOL_JSON, json);
	expect_transcoded(name, HUB_PROTOCOL_JSON, json, HUB_PROTOCOL_MSGPACK, ours);
	expect_transcoded(name, HUB_PROTOCOL_MSGPACK, ours, HUB_PROTOCOL_JSON, json);
	expect_transcoded(name, HUB_PROTOCOL_MSGPACK, ours, HUB_PROTOCOL_MSGPACK, ours);
}

Test(hub_official, reads_and_writes_what_the_official_libraries_do)
{
	FILE *file = fopen(FIXTURE, "r");
	char *line = NULL;
	size_t cap = 0;
	size_t rows = 0;
	ssize_t len;

	cr_assert_not_null(file, "run it from the root of the tree");
	for (; (len = getline(&line, &cap, file)) > 0; rows++)
		check_row(slice_make(line, (size_t)len));
	cr_assert_geq(rows, ROWS_MIN);
	free(line);
	cr_assert_eq(fclose(file), 0);
	arena_fini(&arena);
}
