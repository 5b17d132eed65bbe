/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heliograph-hubgen: from the interface file of a hub, the header that its C includes and
 * the module that its clients in TypeScript import.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/version.h"
#include "router/hubgen/check.h"
#include "router/hubgen/emit.h"
#include "router/hubgen/parse.h"

static const char usage[] =
	"usage: heliograph-hubgen [--c=FILE] [--ts=FILE] HUB.hub\n"
	"\n"
	"Reads the interface of a hub and writes what its two sides are built with.\n"
	"\n"
	"  --c=FILE    the header for the hub's C, HUB.gen.h\n"
	"  --ts=FILE   the module for clients in TypeScript, HUB.ts\n"
	"  --help      this\n"
	"  --version   which one this is\n"
	"\n"
	"FILE may be \"-\": standard output. Without --c and --ts the file is only "
	"checked.\n";

typedef void emit_fn(struct buf *out, const struct model *model, struct slice source);

struct options {
	const char *input;
	const char *c_path;  /* NULL: not wanted */
	const char *ts_path; /* the same */
};

/* ---- files */

/* False: errno says why; EFBIG is ours. */
static bool read_file(const char *path, struct buf *text)
{
	FILE *file = fopen(path, "re");
	size_t n = 1;
	bool is_fine;

	if (file == NULL)
		return false;
	while (n > 0 && text->len <= MODEL_FILE_BYTES_MAX) {
		n = fread(buf_reserve(text, 65536), 1, 65536, file);
		text->len += n;
	}
	is_fine = ferror(file) == 0;
	return fclose(file) == 0 && is_fine; /* fclose() after an error does no harm */
}

static bool write_all(FILE *file, struct slice text)
{
	return fwrite(text.ptr, 1, text.len, file) == text.len;
}

static bool write_file(const char *path, struct slice text)
{
	FILE *file;
	bool is_fine;

	if (strcmp(path, "-") == 0)
		return write_all(stdout, text) && fflush(stdout) == 0;
	file = fopen(path, "we");
	if (file == NULL)
		return false;
	is_fine = write_all(file, text);
	return fclose(file) == 0 && is_fine;
}

static void complain(const char *path)
{
	(void)fprintf(stderr, "heliograph-hubgen: %s: %s\n", path,
		      strerror(errno)); /* NOLINT(concurrency-mt-unsafe): one thread */
}

/* ---- work */

static struct slice base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slice_from_str(slash != NULL ? slash + 1 : path);
}

static bool emit(const struct options *options, const struct model *model,
		 const char *path, emit_fn *fn)
{
	struct buf out = BUF_INIT;
	bool is_fine = true;

	if (path == NULL)
		return true;
	fn(&out, model, base_name(options->input));
	if (!write_file(path, buf_slice(&out))) {
		complain(path);
		is_fine = false;
	}
	buf_fini(&out);
	return is_fine;
}

/* The way compilers write it, which editors understand. */
static void show(const struct options *options, const struct problem *problem)
{
	if (problem->line > 0)
		(void)fprintf(stderr, "%s:%u: %s\n", options->input, problem->line,
			      problem->text);
	else
		(void)fprintf(stderr, "%s: %s\n", options->input, problem->text);
}

static int run(const struct options *options)
{
	struct buf text = BUF_INIT;
	struct problem problem = { 0 };
	struct model model;
	int status = EXIT_FAILURE;

	if (!read_file(options->input, &text)) {
		complain(options->input);
		buf_fini(&text);
		return EXIT_FAILURE;
	}
	if (parse_model(&model, buf_slice(&text), &problem) != OK ||
	    check_model(&model, &problem) != OK)
		show(options, &problem);
	else if (emit(options, &model, options->c_path, emit_c) &&
		 emit(options, &model, options->ts_path, emit_ts))
		status = EXIT_SUCCESS;
	model_fini(&model);
	buf_fini(&text);
	return status;
}

int main(int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "c", required_argument, NULL, 'c' },
		{ "ts", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	struct options options = { 0 };
	int option;

	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'c':
			options.c_path = optarg;
			break;
		case 't':
			options.ts_path = optarg;
			break;
		case 'h':
			(void)fputs(usage, stdout);
			return EXIT_SUCCESS;
		case 'v':
			(void)printf("heliograph-hubgen %s\n", HELIOGRAPH_VERSION);
			return EXIT_SUCCESS;
		default:
			(void)fputs(usage, stderr);
			return EXIT_FAILURE;
		}
	}
	if (optind != argc - 1) {
		(void)fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	options.input = argv[optind];
	return run(&options);
}
