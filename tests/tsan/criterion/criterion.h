/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for Criterion under ThreadSanitizer, which Criterion 2.4.1 does not start
 * under: its arena cannot be mapped ("Could not initialize inheritable arena"). In
 * MODE=tsan this folder comes first on the include path and -lcriterion is left out. Each
 * test runs in a process of its own; knows the words our link and loop tests use, and of
 * the command line --tap=FILE and --filter PATTERN.
 */
#ifndef TESTS_TSAN_CRITERION_CRITERION_H
#define TESTS_TSAN_CRITERION_CRITERION_H

#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TSAN_SKIPPED 77
/* For all the files of one binary: each includes this, the linker keeps one. */
#define TSAN_SHARED __attribute__((weak, unused))

struct tsan_options {
	void (*init)(void);
	void (*fini)(void);
	int signal;
	int exit_code;
	double timeout;
};

struct tsan_test {
	const char *suite;
	const char *name;
	void (*fn)(void); /* NULL: the options of a suite */
	struct tsan_options options;
	struct tsan_test *next;
};

TSAN_SHARED struct tsan_test *tsan_first;
TSAN_SHARED struct tsan_test **tsan_end = &tsan_first;
TSAN_SHARED bool tsan_has_failed;

#define TSAN_REGISTER(id, suite_, name_, fn_, ...)                                       \
	static void __attribute__((constructor)) id##_register(void)                     \
	{                                                                                \
		static struct tsan_test test = {                                         \
			suite_, name_, fn_, { __VA_ARGS__ }, NULL                        \
		};                                                                       \
		*tsan_end = &test;                                                       \
		tsan_end = &test.next;                                                   \
	}
#define Test(suite, name, ...)                                                           \
	static void suite##_##name##_test(void);                                         \
	TSAN_REGISTER(suite##_##name, #suite, #name, suite##_##name##_test, __VA_ARGS__) \
	static void suite##_##name##_test(void)
#define TestSuite(suite, ...)                                                            \
	TSAN_REGISTER(suite##_suite, #suite, NULL, NULL, __VA_ARGS__)                    \
	struct tsan_test

#define TSAN_CHECK(is_right, text, is_fatal)                                             \
	((is_right) ? (void)0 : tsan_fail(__FILE__, __LINE__, text, is_fatal))
#define TSAN_COMPARE(a, op, b, is_fatal) TSAN_CHECK((a)op(b), #a " " #op " " #b, is_fatal)

#define cr_assert(c, ...) TSAN_CHECK(c, #c, true)
#define cr_assert_not(c, ...) TSAN_CHECK(!(c), "not " #c, true)
#define cr_assert_null(p, ...) TSAN_COMPARE(p, ==, NULL, true)
#define cr_assert_not_null(p, ...) TSAN_COMPARE(p, !=, NULL, true)
#define cr_assert_eq(a, b, ...) TSAN_COMPARE(a, ==, b, true)
#define cr_assert_neq(a, b, ...) TSAN_COMPARE(a, !=, b, true)
#define cr_assert_lt(a, b, ...) TSAN_COMPARE(a, <, b, true)
#define cr_assert_leq(a, b, ...) TSAN_COMPARE(a, <=, b, true)
#define cr_assert_gt(a, b, ...) TSAN_COMPARE(a, >, b, true)
#define cr_assert_geq(a, b, ...) TSAN_COMPARE(a, >=, b, true)
#define cr_assert_str_eq(a, b, ...) TSAN_COMPARE(strcmp(a, b), ==, 0, true)
#define cr_assert_arr_eq(a, b, n, ...)                                                   \
	do {                                                                             \
		tsan_unsaid("" __VA_ARGS__);                                             \
		TSAN_COMPARE(memcmp(a, b, n), ==, 0, true);                              \
	} while (0)
#define cr_expect(c, ...) TSAN_CHECK(c, #c, false)
#define cr_expect_not(c, ...) TSAN_CHECK(!(c), "not " #c, false)
#define cr_expect_null(p, ...) TSAN_COMPARE(p, ==, NULL, false)
#define cr_expect_not_null(p, ...) TSAN_COMPARE(p, !=, NULL, false)
#define cr_expect_eq(a, b, ...) TSAN_COMPARE(a, ==, b, false)
#define cr_expect_neq(a, b, ...) TSAN_COMPARE(a, !=, b, false)
#define cr_expect_lt(a, b, ...) TSAN_COMPARE(a, <, b, false)
#define cr_expect_leq(a, b, ...) TSAN_COMPARE(a, <=, b, false)
#define cr_expect_gt(a, b, ...) TSAN_COMPARE(a, >, b, false)
#define cr_expect_geq(a, b, ...) TSAN_COMPARE(a, >=, b, false)
#define cr_expect_str_eq(a, b, ...) TSAN_COMPARE(strcmp(a, b), ==, 0, false)
#define cr_assert_fail(...) TSAN_CHECK(false, "reached", true)
#define cr_fail(...) TSAN_CHECK(false, "reached", false)
#define cr_skip(...) exit(TSAN_SKIPPED)

/* A message's arguments are used, but not shown. */
static inline void tsan_unsaid(const char *format, ...)
{
	(void)format; /* as it says */
}

static inline void tsan_fail(const char *file, int line, const char *text, bool is_fatal)
{
	fprintf(stderr, "%s:%d: Assertion Failed: %s\n", file, line, text);
	tsan_has_failed = true;
	if (is_fatal)
		exit(1);
}

static inline const struct tsan_options *tsan_suite(const char *suite)
{
	static const struct tsan_options none;

	for (struct tsan_test *it = tsan_first; it; it = it->next) {
		if (!it->fn && !strcmp(it->suite, suite))
			return &it->options;
	}
	return &none;
}

static inline void tsan_child(const struct tsan_test *test,
			      const struct tsan_options *suite)
{
	double timeout =
		test->options.timeout > 0 ? test->options.timeout : suite->timeout;

	alarm(timeout > 0 ? (unsigned)timeout : 60);
	if (suite->init)
		suite->init();
	if (test->options.init)
		test->options.init();
	test->fn();
	if (test->options.fini)
		test->options.fini();
	if (suite->fini)
		suite->fini();
	exit(tsan_has_failed);
}

/* 0: passed, TSAN_SKIPPED, or anything else: failed. */
static inline int tsan_run(const struct tsan_test *test)
{
	const struct tsan_options *suite = tsan_suite(test->suite);
	int signo = test->options.signal ? test->options.signal : suite->signal;
	pid_t pid = fork();
	int status = 1;

	if (!pid)
		tsan_child(test, suite);
	if (waitpid(pid, &status, 0) != pid)
		return 1;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == signo ? 0 : 1;
	if (signo)
		return 1;
	if (WEXITSTATUS(status) == TSAN_SKIPPED)
		return TSAN_SKIPPED;
	return WEXITSTATUS(status) != test->options.exit_code;
}

int main(int argc, char **argv);
TSAN_SHARED int main(int argc, char **argv)
{
	const char *pattern = "*";
	FILE *tap = stdout;
	int failed = 0;
	char name[256];

	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "--tap=", 6))
			tap = fopen(argv[i] + 6, "w");
		else if (!strcmp(argv[i], "--filter") && i + 1 < argc)
			pattern = argv[++i];
	}
	for (struct tsan_test *it = tsan_first; it && tap; it = it->next) {
		int rc;

		snprintf(name, sizeof(name), "%s/%s", it->suite, it->name);
		if (!it->fn || fnmatch(pattern, name, 0))
			continue;
		fflush(tap);
		rc = tsan_run(it);
		failed += rc && rc != TSAN_SKIPPED;
		fprintf(tap, "%sok - %s::%s%s\n", rc && rc != TSAN_SKIPPED ? "not " : "",
			it->suite, it->name, rc == TSAN_SKIPPED ? " # SKIP" : "");
	}
	return !tap || fclose(tap) || failed;
}

#endif
