/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/about.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/conf_value.h"
#include "proto/base/version.h"

#define LINE_BYTES 1024

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* Tells more than a result should. */
static bool is_secret(const char *name)
{
	return strcmp(name, "token_key") == 0;
}

static void set(struct result *result, const char *name, const struct buf *value)
{
	result_text_set(&result->about, name, buf_slice(value));
}

static void add_command(struct result *result, int argc, char *const *argv)
{
	static const char key[] = "--token_key=";
	struct buf text = BUF_INIT;

	for (int i = 0; i < argc; i++) {
		const char *arg = argv[i];
		const char *slash = strrchr(arg, '/');

		if (i == 0 && slash != NULL)
			arg = slash + 1;
		if (i > 0)
			buf_append_byte(&text, ' ');
		if (strncmp(arg, key, sizeof(key) - 1) == 0)
			arg = "--token_key=...";
		if (arg[strcspn(arg, " ;<>()*&|$\"\\")] == '\0')
			buf_append_str(&text, arg);
		else
			buf_appendf(&text, "'%s'", arg);
	}
	set(result, "command", &text);
	buf_fini(&text);
}

static void add_date(struct result *result)
{
	struct buf text = BUF_INIT;
	struct timespec now;
	struct tm tm;

	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	if (gmtime_r(&now.tv_sec, &tm) != NULL)
		buf_appendf(&text, "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
			    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	set(result, "date", &text);
	buf_fini(&text);
}

/* "model name	: Something" of the first core. */
static void add_processor(struct result *result)
{
	FILE *in = fopen("/proc/cpuinfo", "re");
	char line[LINE_BYTES];

	if (in == NULL)
		return;
	while (fgets(line, sizeof(line), in) != NULL) {
		struct slice rest = slice_make(line, strcspn(line, "\n"));
		struct slice name = slice_trim(slice_cut(&rest, ':'));

		if (!slice_equal(name, SLICE("model name")))
			continue;
		result_text_set(&result->about, "processor", slice_trim(rest));
		break;
	}
	(void)fclose(in); /* only read */
}

static void add_machine(struct result *result)
{
	struct buf text = BUF_INIT;
	struct utsname name;

	if (uname(&name) == 0)
		buf_appendf(&text, "%s %s %s", name.sysname, name.release, name.machine);
	set(result, "kernel", &text);
	buf_clear(&text);
	buf_append_int64(&text, sysconf(_SC_NPROCESSORS_ONLN));
	set(result, "cores", &text);
	buf_clear(&text);
	buf_appendf(&text, "%lld MiB",
		    (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) /
			    (1024 * 1024));
	set(result, "memory", &text);
	buf_fini(&text);
}

static void add_options(struct result *result, const struct bench_conf *conf)
{
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < bench_conf_table.n; i++) {
		const struct conf_option *option = &bench_conf_table.options[i];

		buf_clear(&text);
		if (is_secret(option->name))
			buf_append_str(&text, conf->token_key[0] != '\0' ? "..." : "");
		else
			conf_value_print(option, conf, &text);
		result_text_set(&result->options, option->name, buf_slice(&text));
	}
	buf_fini(&text);
}

void about_fill(struct result *result, const struct bench_conf *conf, int argc,
		char *const *argv)
{
	const char *label = conf->label[0] != '\0' ? conf->label : conf->scenario;

	result_text_set(&result->about, "label", slice_from_str(label));
	result_text_set(&result->about, "scenario", slice_from_str(conf->scenario));
	result_text_set(&result->about, "version", SLICE(HELIOGRAPH_VERSION));
	result_text_set(&result->about, "compiler", SLICE(COMPILER));
	add_date(result);
	add_machine(result);
	add_processor(result);
	add_command(result, argc, argv);
	add_options(result, conf);
}
