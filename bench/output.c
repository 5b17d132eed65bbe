/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/output.h"

#include <stdio.h>
#include <string.h>

#include "bench/report.h"
#include "proto/base/mem.h"

#define READ_BYTES 65536u

#include "proto/base/mem.h"

static bool fail(char why[EXPECT_ERROR_MAX], const char *path, const char *reason)
{
	(void)snprintf(why, EXPECT_ERROR_MAX, "%s: %s", path, reason);
	return false;
}

static bool write_file(const char *path, const struct buf *text,
		       char why[EXPECT_ERROR_MAX])
{
	bool is_stdout = strcmp(path, "-") == 0;
	FILE *out = is_stdout ? stdout : fopen(path, "we");
	bool is_well;

	if (out == NULL)
		return fail(why, path, err_errno_text());
	is_well = fwrite(text->ptr, 1, text->len, out) == text->len;
	is_well = (is_stdout ? fflush(out) : fclose(out)) == 0 && is_well;
	return is_well || fail(why, path, err_errno_text());
}

bool output_is_stdout(const struct bench_conf *conf)
{
	return strcmp(conf->json, "-") == 0 || strcmp(conf->html, "-") == 0 ||
	       strcmp(conf->markdown, "-") == 0;
}

static bool read_file(const char *path, struct buf *text, char why[EXPECT_ERROR_MAX])
{
	FILE *in = fopen(path, "re");
	size_t n;

	if (in == NULL)
		return fail(why, path, err_errno_text());
	do {
		n = fread(buf_reserve(text, READ_BYTES), 1, READ_BYTES, in);
		text->len += n;
	} while (n > 0 && text->len <= RESULT_BYTES_MAX);
	(void)fclose(in); /* only read */
	return true;
}

/* A result from its file; NULL with the reason in `why`. */
static struct result *read_result(struct slice name, char why[EXPECT_ERROR_MAX])
{
	char *path = mem_dup(name.ptr, name.len);
	struct result *result = result_new();
	struct buf text = BUF_INIT;
	bool is_well = read_file(path, &text, why);
	enum err rc = is_well ? result_decode(result, buf_slice(&text)) : OK;

	if (rc == ERR_UNSUPPORTED)
		is_well = fail(why, path, "a result of another version");
	else if (rc != OK)
		is_well = fail(why, path, "not a result of heliograph-bench");
	if (!is_well) {
		result_free(result);
		result = NULL;
	}
	buf_fini(&text);
	mem_free(path);
	return result;
}

/* ---- the files of one result or many */

static bool write_reports(const struct bench_conf *conf,
			  const struct result *const *results, size_t n,
			  char why[EXPECT_ERROR_MAX])
{
	struct buf text = BUF_INIT;
	bool is_well = true;

	if (conf->html[0] != '\0') {
		report_html(results, n, &text);
		is_well = write_file(conf->html, &text, why);
	}
	buf_clear(&text);
	if (is_well && conf->markdown[0] != '\0') {
		report_markdown(results, n, &text);
		is_well = write_file(conf->markdown, &text, why);
	}
	buf_fini(&text);
	return is_well;
}

static bool write_comparison(const struct result *before, const struct result *after,
			     FILE *out, char why[EXPECT_ERROR_MAX])
{
	struct buf text = BUF_INIT;
	bool is_well;

	report_compare(before, after, &text);
	is_well = fwrite(text.ptr, 1, text.len, out) == text.len && fflush(out) == 0;
	buf_fini(&text);
	return is_well || fail(why, "comparison", err_errno_text());
}

bool output_write(const struct bench_conf *conf, const struct result *result,
		  char why[EXPECT_ERROR_MAX])
{
	struct result *before = NULL;
	struct buf text = BUF_INIT;
	bool is_well = true;

	if (conf->json[0] != '\0') {
		result_encode(result, &text);
		is_well = write_file(conf->json, &text, why);
	}
	buf_fini(&text);
	is_well = is_well && write_reports(conf, &result, 1, why);
	if (is_well && conf->compare[0] != '\0') {
		before = read_result(slice_from_str(conf->compare), why);
		is_well = before != NULL &&
			  write_comparison(before, result,
					   output_is_stdout(conf) ? stderr : stdout, why);
	}
	result_free(before);
	return is_well;
}

bool output_fits(const struct bench_conf *conf, char why[EXPECT_ERROR_MAX])
{
	struct result *before;

	if (conf->compare[0] == '\0')
		return true;
	before = read_result(slice_from_str(conf->compare), why);
	result_free(before);
	return before != NULL;
}

/* ---- nothing is run */

bool output_is_report(const struct bench_conf *conf)
{
	return conf->report[0] != '\0' || strchr(conf->compare, ',') != NULL;
}

static bool report_of(const struct bench_conf *conf, const struct result *const *results,
		      size_t n, char why[EXPECT_ERROR_MAX])
{
	if (conf->compare[0] != '\0' && n != 2)
		return fail(why, "compare", "two results are compared");
	if (conf->compare[0] != '\0' &&
	    !write_comparison(results[0], results[1],
			      output_is_stdout(conf) ? stderr : stdout, why))
		return false;
	if (conf->report[0] != '\0' && conf->html[0] == '\0' && conf->markdown[0] == '\0')
		return fail(why, "report", "html or markdown says where it goes");
	return write_reports(conf, results, n, why);
}

bool output_report(const struct bench_conf *conf, char why[EXPECT_ERROR_MAX])
{
	struct slice rest =
		slice_from_str(conf->report[0] != '\0' ? conf->report : conf->compare);
	struct result *results[REPORT_RESULTS_MAX] = { NULL };
	size_t n = 0;
	bool is_well = true;

	while (is_well && rest.len > 0) {
		struct slice name = slice_trim(slice_cut(&rest, ','));

		if (n == REPORT_RESULTS_MAX) {
			is_well = fail(why, "report", "too many results");
			break;
		}
		results[n] = read_result(name, why);
		is_well = results[n] != NULL;
		n += is_well ? 1 : 0;
	}
	is_well =
		is_well && report_of(conf, (const struct result *const *)results, n, why);
	for (size_t i = 0; i < n; i++)
		result_free(results[i]);
	return is_well;
}
