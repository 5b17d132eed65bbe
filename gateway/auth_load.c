/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From options to keys: files are read at start-up and on SIGHUP. They are small and
 * local; a folder that hangs would hang the configuration file beside them too.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/auth.h"
#include "gateway/auth_private.h"
#include "proto/base/file.h"
#include "proto/base/log.h"
#include "proto/base/mem.h"
#include "proto/base/secret.h"

#define PEM_BEGIN "-----BEGIN "
/* As long as secrets of one line each may be. */
#define KEY_FILE_BYTES_MAX (SECRET_LINES_MAX * (SECRET_BYTES_MAX + 1))

/* A file being read for an option. */
struct source {
	const char *option;
	const char *path;
	struct buf bytes; /* owned */
	bool is_open_to_others;
	char *error; /* AUTH_ERROR_MAX bytes of the caller's */
};

static struct source source_of(const char *option, const char *path, char *error)
{
	struct source source = { .option = option, .path = path, .bytes = BUF_INIT };

	source.error = error;
	return source;
}

static enum err source_fail(struct source *source, enum err rc, const char *text)
{
	(void)snprintf(source->error, AUTH_ERROR_MAX, "%s = %s: %s", source->option,
		       source->path, text); /* a path too long is cut, no more */
	return rc;
}

static enum err source_read(struct source *source, size_t bytes_max)
{
	const char *problem;
	struct stat status;
	const int fd = file_open(source->path, &status, &problem);
	enum err rc;

	if (fd < 0)
		return source_fail(source, ERR_IO, problem);
	source->is_open_to_others = secret_is_open(&status);
	rc = file_read(fd, bytes_max, &source->bytes, &problem);
	(void)close(fd); /* nothing was written */
	return rc == OK ? OK : source_fail(source, rc, problem);
}

static enum err secrecy_check(struct source *source)
{
	if (!source->is_open_to_others)
		return OK;
	return source_fail(source, ERR_DENIED,
			   "it holds a secret, and others may read it; chmod 600 it");
}

/* ---- auth_key_file */

/* The first is the key, as others are; those behind it are accepted in its place. */
static enum err secret_lines_take(struct auth *auth, struct source *source,
				  enum auth_algorithm algorithm, struct auth_key **key)
{
	struct secrets lines = { .text = source->bytes };
	const char *error;
	enum err rc = secrets_parse(&lines, 0, &error);

	for (size_t i = 0; rc == OK && i < lines.n; i++) {
		rc = auth_key_secret(algorithm, lines.items[i], SLICE_NONE,
				     i == 0 ? key : &auth->others[i - 1], &error);
		if (rc == OK && i > 0)
			auth->others_n++;
	}
	if (rc != OK) {
		auth_key_free(*key);
		return source_fail(source, rc, error);
	}
	auth->fingerprint = secrets_fingerprint(&lines);
	return OK;
}

static enum err secret_key_read(struct auth *auth, struct source *source,
				enum auth_algorithm algorithm, struct auth_key **key)
{
	const struct slice text = buf_slice(&source->bytes);
	enum err rc = secrecy_check(source);

	if (rc != OK)
		return rc;
	/* Signing with a public key as the secret is what an attacker would try first. */
	if (memmem(text.ptr, text.len, PEM_BEGIN, sizeof(PEM_BEGIN) - 1) != NULL)
		return source_fail(source, ERR_ARGUMENT,
				   "a PEM file is no secret; set auth_algorithm to "
				   "RS256 or ES256");
	return secret_lines_take(auth, source, algorithm, key);
}

static enum err public_key_read(struct source *source, enum auth_algorithm algorithm,
				struct auth_key **key)
{
	const char *error;
	const enum err rc =
		auth_key_pem(algorithm, buf_slice(&source->bytes), key, &error);

	return rc == OK ? OK : source_fail(source, rc, error);
}

static enum err key_file_load(struct auth *auth, const struct auth_conf *conf,
			      char error[AUTH_ERROR_MAX])
{
	const enum auth_algorithm algorithm = (enum auth_algorithm)conf->algorithm;
	struct source source = source_of("auth_key_file", conf->key_file, error);
	struct auth_key *key = NULL;
	enum err rc;

	if (conf->key_file[0] == '\0')
		return OK;
	rc = source_read(&source, KEY_FILE_BYTES_MAX);
	if (rc == OK)
		rc = auth_algorithm_secret_min(algorithm) > 0
			     ? secret_key_read(auth, &source, algorithm, &key)
			     : public_key_read(&source, algorithm, &key);
	secret_fini(&source.bytes);
	if (rc != OK)
		return rc;
	rc = auth_keys_add(&auth->keys, key);
	assert(rc == OK); /* it is the first */
	if (algorithm == AUTH_HS256)
		auth->minter = key;
	return OK;
}

/* ---- auth_jwks_file */

static bool has_secret(const struct auth_keys *keys, size_t from)
{
	for (size_t i = from; i < keys->n; i++) {
		if (auth_key_bytes(keys->items[i]).len > 0)
			return true;
	}
	return false;
}

static enum err jwks_load(struct auth *auth, const struct auth_conf *conf,
			  char error[AUTH_ERROR_MAX])
{
	struct source source = source_of("auth_jwks_file", conf->jwks_file, error);
	const size_t before = auth->keys.n;
	struct arena arena = ARENA_INIT;
	const char *text = "";
	enum err rc;

	if (conf->jwks_file[0] == '\0')
		return OK;
	rc = source_read(&source, AUTH_JWKS_BYTES_MAX);
	if (rc == OK &&
	    auth_jwks_read(&auth->keys, buf_slice(&source.bytes), &arena, &text) != OK)
		rc = source_fail(&source, ERR_ARGUMENT, text);
	if (rc == OK && has_secret(&auth->keys, before))
		rc = secrecy_check(&source);
	secret_fini(&source.bytes);
	arena_fini(&arena);
	return rc;
}

/* ---- all of it */

static enum err dev_key_make(struct auth *auth, struct slice secret,
			     char error[AUTH_ERROR_MAX])
{
	const char *text;
	enum err rc;

	if (secret.len == 0 || auth->minter != NULL)
		return OK;
	rc = auth_key_secret(AUTH_HS256, secret, SLICE(AUTH_DEV_KEY_ID), &auth->dev,
			     &text);
	auth->minter = auth->dev;
	if (rc != OK)
		(void)snprintf(error, AUTH_ERROR_MAX, "dev: %s", text); /* it fits */
	return rc;
}

enum err auth_load(const struct auth_conf *conf, struct slice dev_secret,
		   struct auth **auth, char error[AUTH_ERROR_MAX])
{
	struct auth *made = MEM_NEW(struct auth);
	enum err rc;

	assert(conf != NULL && auth != NULL && error != NULL);
	error[0] = '\0';
	rc = key_file_load(made, conf, error);
	if (rc == OK)
		rc = jwks_load(made, conf, error);
	if (rc == OK)
		rc = dev_key_make(made, dev_secret, error);
	if (rc != OK) {
		auth_free(made);
		return rc;
	}
	auth_rules_init(&made->rules, conf);
	*auth = made;
	return OK;
}

/* What an operator should know of the keys now in use. */
static void log_keys(const struct auth *auth, const struct auth_conf *conf)
{
	bool is_shared = false;

	for (size_t i = 0; i < auth->keys.n; i++)
		is_shared = is_shared || auth_key_bytes(auth->keys.items[i]).len == 0;
	if (auth->keys.n == 0 && auth->dev == NULL)
		log_warn("auth.no_key", "effect=\"every token is refused\"");
	if (is_shared && conf->audience[0] == '\0')
		log_warn("auth.no_audience",
			 "effect=\"tokens made for other services are taken\"");
}

struct auth *auth_open(const struct auth_conf *conf, struct slice dev_secret)
{
	char error[AUTH_ERROR_MAX];
	struct auth *auth;

	if (auth_load(conf, dev_secret, &auth, error) != OK)
		fatal("%s", error);
	log_info("auth.loaded", "keys=%zu skipped=%zu", auth->keys.n, auth->keys.skipped);
	log_keys(auth, conf);
	return auth;
}

/* A sentence of ours as a quoted value: whole, unlike log_quote(). */
static void quotes_replace(char *text)
{
	for (char *at = text; *at != '\0'; at++) {
		if (*at == '"' || *at == '\\' || *at == '\n')
			*at = '\'';
	}
}

enum err auth_reload(struct auth **auth, const struct auth_conf *conf,
		     struct slice dev_secret)
{
	char error[AUTH_ERROR_MAX];
	struct auth *made;
	enum err rc;

	assert(auth != NULL && *auth != NULL);
	rc = auth_load(conf, dev_secret, &made, error);
	if (rc != OK) {
		quotes_replace(error);
		log_error("auth.reload_failed", "reason=\"%s\"", error);
		return rc;
	}
	auth_free(*auth);
	*auth = made;
	log_info("auth.reloaded", "keys=%zu skipped=%zu", made->keys.n,
		 made->keys.skipped);
	log_keys(made, conf);
	return OK;
}
