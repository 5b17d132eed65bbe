/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See conf_kit.h. Each Criterion test is a process, so one kit is one test's.
 */
#include "tests/unit/proto/base/conf_kit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const stores[] = { "memory", "redis", NULL };

static const struct conf_option options[] = {
	{ "dev", CONF_BOOL, offsetof(struct conf_kit_values, is_dev), "off", 0, 0, NULL,
	  "For trying things.", false },
	{ "clients_max", CONF_INT, offsetof(struct conf_kit_values, clients_max), "100",
	  1, 1000, NULL, "Clients at a time.", true },
	{ "offset", CONF_INT, offsetof(struct conf_kit_values, offset), "0", -5, 5, NULL,
	  "May be negative.", true },
	{ "keepalive_interval", CONF_MS, offsetof(struct conf_kit_values, keepalive_ms),
	  "15000", 1000, 600000, NULL, "Between two pings.", true },
	{ "frame_bytes_max", CONF_BYTES,
	  offsetof(struct conf_kit_values, frame_bytes_max), "32KiB", 1, INT64_C(4) << 30,
	  NULL, "Largest frame.", false },
	{ "listen", CONF_STRING, offsetof(struct conf_kit_values, listen),
	  "127.0.0.1:8080", 3, 20, NULL, "Where clients connect.", false },
	{ "redis", CONF_STRING, offsetof(struct conf_kit_values, redis), "", 0, 20, NULL,
	  "Where Redis is.", true },
	{ "store", CONF_ENUM, offsetof(struct conf_kit_values, store), "memory", 0, 0,
	  stores, "Where presence is kept.", false },
};

const struct conf_table conf_kit_table = {
	.program = "heliograph-test",
	.summary = "Tests the configuration.",
	.options = options,
	.n = sizeof(options) / sizeof(options[0]),
};

struct conf_kit conf_kit;

void conf_kit_setup(void)
{
	(void)snprintf(conf_kit.dir, sizeof(conf_kit.dir), "/tmp/conf-test-XXXXXX");
	cr_assert_not_null(mkdtemp(conf_kit.dir));
	(void)snprintf(conf_kit.file_path, sizeof(conf_kit.file_path), "%s/x.conf",
		       conf_kit.dir);
	(void)snprintf(conf_kit.file_flag, sizeof(conf_kit.file_flag), "--conf=%s",
		       conf_kit.file_path);
}

void conf_kit_teardown(void)
{
	unlink(conf_kit.file_path);
	rmdir(conf_kit.dir);
}

void conf_kit_file_write(const char *text, size_t len)
{
	FILE *file = fopen(conf_kit.file_path, "w");

	cr_assert_not_null(file);
	cr_assert_eq(fwrite(text, 1, len, file), len);
	cr_assert_eq(fclose(file), 0);
}

enum conf_outcome conf_kit_load(struct conf_kit_values *values, ...)
{
	char program[] = "heliograph-test";
	char *argv[10] = { program };
	FILE *out = fmemopen(conf_kit.printed, sizeof(conf_kit.printed), "w");
	enum conf_outcome outcome;
	int argc = 1;
	va_list args;

	va_start(args, values);
	while ((argv[argc] = va_arg(args, char *)))
		argc++;
	va_end(args);
	memset(values, 0, sizeof(*values));
	memset(conf_kit.printed, 0, sizeof(conf_kit.printed));
	outcome = conf_load(&conf_kit_table, values, argc, argv, out, conf_kit.error);
	(void)fclose(out);
	return outcome;
}

struct conf_kit_values conf_kit_load_good(const char *arg)
{
	struct conf_kit_values values;

	cr_expect_eq(conf_kit_load(&values, arg, NULL), CONF_RUN, "%s: %s", arg,
		     conf_kit.error);
	return values;
}

void conf_kit_expect_refused(const char *arg, const char *text)
{
	struct conf_kit_values values;

	cr_expect_eq(conf_kit_load(&values, arg, NULL), CONF_FAIL);
	cr_expect_str_eq(conf_kit.error, text);
	cr_expect_null(values.listen);
	cr_expect_null(values.redis);
}

void conf_kit_expect_file_refused(const char *content, const char *text)
{
	struct conf_kit_values values;

	conf_kit_file_write(content, strlen(content));
	cr_expect_eq(conf_kit_load(&values, conf_kit.file_flag, NULL), CONF_FAIL);
	cr_expect_eq(
		strncmp(conf_kit.error, conf_kit.file_path, strlen(conf_kit.file_path)),
		0, "%s", conf_kit.error);
	cr_expect_str_eq(conf_kit.error + strlen(conf_kit.file_path), text);
	cr_expect_null(values.listen);
}
