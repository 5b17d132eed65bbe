/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files for the suites of auth: copies of the committed test-only keys that only their
 * owner may read, which git does not keep, and files with any text.
 */
#ifndef TESTS_UNIT_GATEWAY_AUTH_FILES_H
#define TESTS_UNIT_GATEWAY_AUTH_FILES_H

#include "gateway/auth.h"
#include "proto/base/buf.h"

#define AUTH_DATA "tests/unit/gateway/data/"

struct auth_file {
	char path[64];
};

/* The whole file, from the root of the tree. */
struct buf auth_file_read(const char *path);

/* Of a data file: "\xNN" is that byte. */
struct buf auth_unescape(struct slice text);

/* A temporary file of mode 600; unlinked by auth_file_fini(). */
void auth_file_init(struct auth_file *file, struct slice text);
void auth_file_fini(struct auth_file *file);

/* What the options are without any file. The strings are constants. */
struct auth_conf auth_conf_usual(void);

/* auth_load() of `conf`; fails the test when it fails. */
struct auth *auth_load_good(const struct auth_conf *conf);

/* The error of a load that fails with `rc`. */
const char *auth_load_bad(const struct auth_conf *conf, enum err rc);

#endif
