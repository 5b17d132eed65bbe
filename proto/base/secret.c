/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads files with secrets, at start-up or when the configuration is read again; blocking
 * is fine there.
 */
#include "proto/base/secret.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/crypto.h"
#include "proto/base/file.h"
#include "proto/base/log.h"

/* ---- a file */

bool secret_is_open(const struct stat *status)
{
	const bool is_laid_down = status->st_uid == 0 && geteuid() != 0;
	const mode_t group = is_laid_down ? S_IWGRP | S_IXGRP : S_IRWXG;

	return (status->st_mode & (group | S_IRWXO)) != 0;
}

enum err secret_load(const char *path, size_t bytes_max, struct buf *key,
		     const char **problem)
{
	struct stat status;
	const int fd = file_open(path, &status, problem);
	enum err rc;

	if (fd < 0)
		return ERR_IO;
	if (secret_is_open(&status)) {
		*problem = "others may read it; chmod 600 it";
		rc = ERR_DENIED;
	} else {
		rc = file_read(fd, bytes_max, key, problem);
	}
	(void)close(fd); /* nothing was written */
	return rc;
}

/* ---- its lines */

static bool has_control(struct slice line)
{
	for (size_t i = 0; i < line.len; i++) {
		const unsigned char c = (unsigned char)line.ptr[i];

		if (c < ' ' || c == 0x7f)
			return true;
	}
	return false;
}

static const char *line_problem(struct slice line, size_t bytes_min)
{
	if (has_control(line))
		return "a line has a control character; a secret is text, such as "
		       "openssl rand -hex 32 makes";
	if (line.len < bytes_min)
		return bytes_min == SECRET_BYTES_MIN
			       ? "a secret has fewer than 32 characters"
			       : "a secret is too short";
	return line.len > SECRET_BYTES_MAX ? "a secret has more than 4096 characters"
					   : NULL;
}

enum err secrets_parse(struct secrets *secrets, size_t bytes_min, const char **problem)
{
	struct slice text = buf_slice(&secrets->text);

	*problem = NULL;
	secrets->n = 0;
	while (text.ptr != NULL) {
		struct slice line = slice_cut(&text, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0)
			continue;
		*problem = secrets->n == SECRET_LINES_MAX ? "it has more than three lines"
							  : line_problem(line, bytes_min);
		if (*problem != NULL)
			return ERR_ARGUMENT;
		secrets->items[secrets->n++] = line;
	}
	if (secrets->n == 0)
		*problem = "it is empty";
	return secrets->n > 0 ? OK : ERR_ARGUMENT;
}

enum err secrets_load(struct secrets *secrets, const char *path, size_t bytes_min,
		      const char **problem)
{
	enum err rc = secret_load(path, SECRETS_FILE_BYTES_MAX, &secrets->text, problem);

	return rc == OK ? secrets_parse(secrets, bytes_min, problem) : rc;
}

void secrets_read(struct secrets *secrets, const char *option, const char *path)
{
	const char *problem = NULL;

	if (secrets_load(secrets, path, SECRET_BYTES_MIN, &problem) != OK)
		fatal("%s = %s: %s", option, path, problem);
}

/* ---- again */

static bool is_same(const struct secrets *a, const struct secrets *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		if (!slice_equal(a->items[i], b->items[i]))
			return false;
	}
	return true;
}

enum err secrets_reload(struct secrets *secrets, const char *option, const char *path,
			size_t bytes_min, bool *is_changed)
{
	struct secrets read = SECRETS_INIT;
	const char *problem = NULL;
	enum err rc = secrets_load(&read, path, bytes_min, &problem);

	*is_changed = rc == OK && !is_same(secrets, &read);
	if (!*is_changed) {
		secrets_fini(&read);
		if (rc != OK)
			log_error("secret.reload_failed", "option=%s reason=\"%s\"",
				  option, problem);
		return rc;
	}
	secrets_fini(secrets);
	*secrets = read;
	log_info("secret.reloaded", "option=%s lines=%zu", option, secrets->n);
	return OK;
}

/* A buffer that grows leaves copies behind. `bytes`: what is to stand in front. */
static void lines_reserve(struct buf *text, const struct secrets *secrets, size_t bytes)
{
	for (size_t i = 0; i < secrets->n; i++)
		bytes += secrets->items[i].len + 1;
	(void)buf_reserve(text, bytes); /* to be written to by appending */
}

void secrets_copy(struct secrets *to, const struct secrets *from)
{
	struct secrets made = SECRETS_INIT;

	lines_reserve(&made.text, from, 0);
	for (size_t i = 0; i < from->n; i++) {
		const char *at = made.text.ptr + made.text.len;

		buf_append_slice(&made.text, from->items[i]);
		made.items[i] = slice_make(at, from->items[i].len);
	}
	made.n = from->n;
	secrets_fini(to);
	*to = made;
}

static int64_t fingerprint(const struct secrets *secrets, const struct slice *key)
{
	const size_t key_bytes = key != NULL ? key->len + 1 : 0;
	uint8_t hash[CRYPTO_SHA256_BYTES];
	struct buf text = BUF_INIT;
	int64_t value = 0;

	if (secrets->n == 0)
		return 0;
	lines_reserve(&text, secrets, key_bytes);
	if (key != NULL) {
		buf_append_slice(&text, *key);
		buf_append_byte(&text, '\n');
	}
	for (size_t i = 0; i < secrets->n; i++) {
		buf_append_slice(&text, secrets->items[i]);
		buf_append_byte(&text, '\n');
	}
	crypto_sha256(buf_slice(&text), hash);
	secret_fini(&text);
	for (size_t i = 0; i < 4; i++)
		value = value << 8 | hash[i];
	return value;
}

int64_t secrets_fingerprint(const struct secrets *secrets)
{
	return fingerprint(secrets, NULL);
}

int64_t secrets_fingerprint_keyed(const struct secrets *secrets, struct slice key)
{
	return fingerprint(secrets, &key);
}

void secrets_fini(struct secrets *secrets)
{
	secret_fini(&secrets->text);
	*secrets = SECRETS_INIT;
}

void secret_fini(struct buf *key)
{
	if (key->ptr != NULL)
		explicit_bzero(key->ptr, key->cap);
	buf_fini(key);
}
