/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key files on disk.
 */
#include "tests/unit/gateway/auth_files.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/auth_key.h"
#include "tests/unit/gateway/auth_kit.h"

#define FILE_BYTES_MAX (1 << 20)

struct buf auth_file_read(const char *path)
{
	struct buf text = BUF_INIT;
	FILE *file = fopen(path, "r");

	cr_assert_not_null(file, "%s", path);
	text.len = fread(buf_reserve(&text, FILE_BYTES_MAX), 1, FILE_BYTES_MAX, file);
	cr_assert(feof(file) != 0);
	(void)fclose(file); /* it was only read */
	return text;
}

struct buf auth_unescape(struct slice text)
{
	struct buf bytes = BUF_INIT;

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\\') {
			char digits[3] = { text.ptr[i + 2], text.ptr[i + 3], '\0' };

			cr_assert_eq(text.ptr[i + 1], 'x');
			buf_append_byte(&bytes, (char)strtol(digits, NULL, 16));
			i += 3;
		} else {
			buf_append_byte(&bytes, text.ptr[i]);
		}
	}
	return bytes;
}

void auth_file_init(struct auth_file *file, struct slice text)
{
	int fd;

	(void)snprintf(file->path, sizeof(file->path), "/tmp/heliograph-auth-XXXXXX");
	fd = mkstemp(file->path);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text.ptr, text.len), (ssize_t)text.len);
	cr_assert_eq(close(fd), 0);
}

void auth_file_fini(struct auth_file *file)
{
	cr_assert_eq(unlink(file->path), 0);
}

struct auth_conf auth_conf_usual(void)
{
	static char none[] = "";
	static char roles[] = "role,roles," ROLE_URI;

	return (struct auth_conf){ .key_file = none,
				   .algorithm = AUTH_HS256,
				   .jwks_file = none,
				   .issuer = none,
				   .audience = none,
				   .leeway_ms = AUTH_LEEWAY_MS_MAX,
				   .user_claim = none,
				   .name_claim = none,
				   .role_claims = roles };
}

struct auth *auth_load_good(const struct auth_conf *conf)
{
	char error[AUTH_ERROR_MAX];
	struct auth *auth = NULL;

	cr_assert_eq(auth_load(conf, SLICE_NONE, &auth, error), OK, "%s", error);
	cr_assert_not_null(auth);
	return auth;
}

const char *auth_load_bad(const struct auth_conf *conf, enum err rc)
{
	static char error[AUTH_ERROR_MAX];
	struct auth *auth = NULL;
	const enum err got = auth_load(conf, SLICE_NONE, &auth, error);

	cr_expect_eq(got, rc, "%s for %s: %s", err_name(got), err_name(rc), error);
	cr_expect_null(auth);
	return error;
}
