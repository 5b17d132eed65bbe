/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with one option of each type, for the tests of the configuration: a table, a
 * file in a directory of the test's own, and conf_load() with what it printed.
 */
#ifndef TESTS_UNIT_PROTO_BASE_CONF_KIT_H
#define TESTS_UNIT_PROTO_BASE_CONF_KIT_H

#include <stdarg.h>
#include <stddef.h>

#include "proto/base/conf.h"

struct conf_kit_values {
	bool is_dev;
	int64_t clients_max;
	int64_t offset;
	int64_t keepalive_ms;
	int64_t frame_bytes_max;
	char *listen;
	char *redis;
	int64_t store;
};

#define KIT_PRINTED_MAX 16384

struct conf_kit {
	char dir[32];
	char file_path[64];
	char file_flag[80]; /* --conf=<file_path> */
	char error[CONF_ERROR_MAX];
	char printed[KIT_PRINTED_MAX];
};

extern const struct conf_table conf_kit_table;
extern struct conf_kit conf_kit;

/* For TestSuite's .init and .fini. */
void conf_kit_setup(void);
void conf_kit_teardown(void);

void conf_kit_file_write(const char *text, size_t len);

/* Loads with the arguments given, up to a NULL. */
enum conf_outcome conf_kit_load(struct conf_kit_values *values, ...)
	__attribute__((sentinel));

/* One argument, or NULL, that has to be accepted; conf_fini() is the caller's. */
struct conf_kit_values conf_kit_load_good(const char *arg);

/* One argument that is refused with this text, and leaves nothing behind. */
void conf_kit_expect_refused(const char *arg, const char *text);

/* A file that is refused with this text behind its path. */
void conf_kit_expect_file_refused(const char *content, const char *text);

#endif
