/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration file's text, read by the gateway's table. What was accepted and is
 * written down again must read as the same; what was refused has an error that names the
 * place and can be shown on a terminal.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/conf.h"
#include "proto/base/conf.h"
#include "proto/base/conf_value.h"
#include "tests/fuzz/fuzz.h"

static int file;
static char path[32];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	file = memfd_create("conf", MFD_CLOEXEC);
	assert(file >= 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", file);
	return 0;
}

static enum conf_outcome load(struct slice text, struct gateway_conf *values,
			      char error[CONF_ERROR_MAX])
{
	char program[] = "heliograph-gateway";
	char option[64];
	char *argv[] = { program, option, NULL };
	int rc = ftruncate(file, 0);

	snprintf(option, sizeof(option), "--conf=%s", path);
	assert(rc == 0);
	assert(pwrite(file, text.ptr, text.len, 0) == (ssize_t)text.len);
	memset(values, 0, sizeof(*values));
	return conf_load(&gateway_conf_table, values, 2, argv, stderr, error);
}

static void check_error(const char *error)
{
	const size_t len = strnlen(error, CONF_ERROR_MAX);

	assert(len > 0 && len < CONF_ERROR_MAX);
	for (size_t i = 0; i < len; i++)
		assert(error[i] >= ' ' && error[i] != 0x7f);
}

/* The program's options, then those of each hub. No space before a value: one that
 * begins with '#' would be a comment. */
static void write_down(struct buf *text, const struct gateway_conf *values)
{
	const struct conf_scope *scope = gateway_conf_table.scope;

	for (size_t i = 0; i < gateway_conf_table.n; i++) {
		const struct conf_option *option = &gateway_conf_table.options[i];

		buf_appendf(text, "%s =", option->name);
		conf_value_print(option, values, text);
		buf_append_byte(text, '\n');
	}
	for (size_t i = 0; i < values->hub_confs.n * scope->n; i++) {
		const struct conf_scoped_item *item =
			&values->hub_confs.items[i / scope->n];
		const struct conf_option *option = &scope->options[i % scope->n];

		buf_appendf(text, "%s.%s.%s =", scope->prefix, item->name, option->name);
		conf_value_print(option, item->values, text);
		buf_append_byte(text, '\n');
	}
}

static void check_equal(const struct gateway_conf *a, const struct gateway_conf *b)
{
	const struct conf_scope *scope = gateway_conf_table.scope;

	for (size_t i = 0; i < gateway_conf_table.n; i++)
		assert(conf_value_equal(&gateway_conf_table.options[i], a, b));
	assert(a->hub_confs.n == b->hub_confs.n);
	for (size_t i = 0; i < a->hub_confs.n * scope->n; i++) {
		const size_t at = i / scope->n;

		assert(conf_value_equal(&scope->options[i % scope->n],
					a->hub_confs.items[at].values,
					b->hub_confs.items[at].values));
	}
}

static void check_again(const struct gateway_conf *values)
{
	struct buf text = BUF_INIT;
	char error[CONF_ERROR_MAX];
	struct gateway_conf again;
	enum conf_outcome outcome;

	write_down(&text, values);
	outcome = load(buf_slice(&text), &again, error);
	assert(outcome == CONF_RUN);
	check_equal(values, &again);
	conf_fini(&gateway_conf_table, &again);
	buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gateway_conf values;
	char error[CONF_ERROR_MAX];
	const enum conf_outcome outcome = load(fuzz_slice(data, size), &values, error);

	assert(outcome == CONF_RUN || outcome == CONF_FAIL);
	if (outcome == CONF_RUN) {
		assert(gateway_conf_problem(&values)[0] == '\0');
		check_again(&values);
	} else {
		check_error(error);
	}
	conf_fini(&gateway_conf_table, &values);
	return 0;
}
