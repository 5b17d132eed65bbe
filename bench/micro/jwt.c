/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What checking one token costs: auth_check(), with all of its rules and a key that was
 * read before, beside libjwt's jwt_decode(), in turns. Keys and tokens are the test-only
 * ones. Prints the median of the rounds in microseconds a token, and the ratio. To be run
 * from the root of the tree.
 */
#include <jwt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/auth.h"
#include "gateway/auth_private.h"
#include "proto/base/mem.h"

#define ROUNDS 9
#define ROUND_NS 100000000
#define FILE_BYTES_MAX 200000
#define NOW_S 1700000000
#define DATA "tests/unit/gateway/data/"

struct sample {
	const char *vector; /* its name in jwt_vectors.txt */
	const char *key_file;
	enum auth_algorithm algorithm;
};

static const struct sample samples[] = {
	{ "good-hs256", DATA "test_only_hs256.key", AUTH_HS256 },
	{ "good-rs256", DATA "test_only_rs256.pem", AUTH_RS256 },
	{ "good-es256", DATA "test_only_es256.pem", AUTH_ES256 },
};

struct side {
	struct auth *auth; /* owned */
	struct buf key;	   /* owned; the file */
	char *token;	   /* owned */
};

static struct buf file_read(const char *path)
{
	struct buf text = BUF_INIT;
	FILE *file = fopen(path, "r");

	if (file == NULL)
		abort();
	text.len = fread(buf_reserve(&text, FILE_BYTES_MAX), 1, FILE_BYTES_MAX, file);
	(void)fclose(file); /* it was only read */
	return text;
}

/* The last field of the vector's line. */
static char *token_read(const char *vector)
{
	struct buf text = file_read(DATA "jwt_vectors.txt");
	struct slice rest = buf_slice(&text);
	char *token = NULL;

	while (rest.ptr != NULL && token == NULL) {
		struct slice line = slice_cut(&rest, '\n');

		if (!slice_equal(slice_cut(&line, ' '), slice_from_str(vector)))
			continue;
		for (int i = 0; i < 3; i++)
			(void)slice_cut(&line, ' '); /* set, time, outcome */
		token = mem_dup(line.ptr, line.len);
	}
	if (token == NULL)
		abort();
	buf_fini(&text);
	return token;
}

static void side_init(struct side *side, const struct sample *sample)
{
	char none[] = "";
	const struct auth_conf conf = { .issuer = none,
					.audience = none,
					.user_claim = none,
					.name_claim = none,
					.role_claims = none };
	struct auth_key *key;
	const char *error;
	enum err rc;

	side->auth = MEM_NEW(struct auth);
	side->key = file_read(sample->key_file);
	side->token = token_read(sample->vector);
	auth_rules_init(&side->auth->rules, &conf);
	if (sample->algorithm == AUTH_HS256) {
		side->key.len--; /* the newline */
		rc = auth_key_secret(AUTH_HS256, buf_slice(&side->key), SLICE_NONE, &key,
				     &error);
	} else {
		rc = auth_key_pem(sample->algorithm, buf_slice(&side->key), &key, &error);
	}
	if (rc != OK || auth_keys_add(&side->auth->keys, key) != OK)
		abort();
}

static void side_fini(struct side *side)
{
	auth_free(side->auth);
	buf_fini(&side->key);
	mem_free(side->token);
}

typedef void round_fn(const struct side *side);

static void check_ours(const struct side *side)
{
	struct user *user;

	if (auth_check(side->auth, slice_from_str(side->token), NOW_S, &user) != AUTH_OK)
		abort();
	user_free(user);
}

static void check_libjwt(const struct side *side)
{
	jwt_t *jwt;

	if (jwt_decode(&jwt, side->token, (const unsigned char *)side->key.ptr,
		       (int)side->key.len) != 0)
		abort();
	jwt_free(jwt);
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static double run_round(round_fn *fn, const struct side *side)
{
	int64_t start = now_ns();
	int64_t spent = 0;
	int64_t n = 0;

	while (spent < ROUND_NS) {
		for (int i = 0; i < 50; i++)
			fn(side);
		n += 50;
		spent = now_ns() - start;
	}
	return (double)spent / (double)n / 1000;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		struct side side;
		double ours[ROUNDS];
		double theirs[ROUNDS];

		side_init(&side, &samples[i]);
		for (size_t n = 0; n < ROUNDS; n++) {
			ours[n] = run_round(check_ours, &side);
			theirs[n] = run_round(check_libjwt, &side);
		}
		qsort(ours, ROUNDS, sizeof(ours[0]), compare);
		qsort(theirs, ROUNDS, sizeof(theirs[0]), compare);
		printf("%-12s ours %6.1f us  libjwt %6.1f us  ratio %4.1f\n",
		       samples[i].vector, ours[ROUNDS / 2], theirs[ROUNDS / 2],
		       theirs[ROUNDS / 2] / ours[ROUNDS / 2]);
		side_fini(&side);
	}
	return 0;
}
