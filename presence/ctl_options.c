/* SPDX-License-Identifier: Apache-2.0 */
#include "presence/ctl_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000000000
#define TIMEOUT_S_DEFAULT 10
#define TIMEOUT_S_MAX 3600

const struct ctl_option ctl_options[CTL_OPTIONS_N] = {
	[CTL_ADDRESS] = { "address", "HOST:PORT", "HELIOGRAPH_ADMIN",
			  "Presence's admin_listen, 127.0.0.1:8090 if not given; "
			  "https://HOST:PORT: with TLS." },
	[CTL_TOKEN_FILE] = { "token-file", "FILE", "HELIOGRAPH_ADMIN_TOKEN_FILE",
			     "The API's token: the first line of FILE, which only you "
			     "may read." },
	[CTL_TLS_CA] = { "tls-ca", "FILE", "HELIOGRAPH_ADMIN_TLS_CA",
			 "With TLS; who signed the server's certificate (PEM). Not "
			 "given: "
			 "the system's list." },
	[CTL_TLS_CERT] = { "tls-cert", "FILE", "HELIOGRAPH_ADMIN_TLS_CERT",
			   "With TLS; the certificate to show (PEM)." },
	[CTL_TLS_KEY] = { "tls-key", "FILE", "HELIOGRAPH_ADMIN_TLS_KEY",
			  "Its key (PEM), which only you may read." },
	[CTL_TIMEOUT] = { "timeout", "SECONDS", NULL,
			  "How long anything may take; 10 if not given." },
	[CTL_JSON] = { "json", NULL, NULL,
		       "What the API answered, instead of tables; a line a page." },
	[CTL_HELP] = { "help", NULL, NULL, "This, or a command's own." },
	[CTL_LIMIT] = { "limit", "N", NULL, "Stop after N rows; 100 if not given." },
	[CTL_ALL] = { "all", NULL, NULL, "All of them, page by page." },
	[CTL_REASON] = { "reason", "TEXT", NULL, "The client is told so." },
	[CTL_ALLOW_RECONNECT] = { "allow-reconnect", NULL, NULL,
				  "The client may come back by itself." },
	[CTL_EXCLUDE] = { "exclude", "ID,ID...", NULL,
			  "Connections that do not get it." },
	[CTL_NO_WAIT] = { "no-wait", NULL, NULL, "Say what is wanted, and end." },
	[CTL_AFTER] = { "after", "EVENT", NULL, "Begin behind the event of that id." },
};

static enum err fail(char error[CTL_ERROR_BYTES], const char *text, const char *what)
{
	/* For people: cut. */
	(void)snprintf(error, CTL_ERROR_BYTES, "%s: %s", text, what);
	return ERR_ARGUMENT;
}

size_t ctl_option_find(struct slice name)
{
	size_t i = 0;

	while (name.len > 0 && name.ptr[0] == '-')
		name = slice_from(name, 1);
	name = slice_cut(&name, '=');
	while (i < CTL_OPTIONS_N &&
	       !slice_equal(name, slice_from_str(ctl_options[i].name)))
		i++;
	return i;
}

/* One option, of `argv[*at]` and maybe the next. */
static enum err read_option(struct ctl_line *line, int argc, char *const *argv, int *at,
			    char error[CTL_ERROR_BYTES])
{
	const char *arg = argv[*at];
	const char *equals = strchr(arg, '=');
	const size_t id = ctl_option_find(slice_from_str(arg));

	if (id == CTL_OPTIONS_N)
		return fail(error, "no such option", arg);
	if (line->values[id] != NULL)
		return fail(error, "given twice", arg);
	if (ctl_options[id].value == NULL) {
		line->values[id] = "";
		return equals == NULL ? OK : fail(error, "it takes no value", arg);
	}
	if (equals == NULL && *at + 1 == argc)
		return fail(error, "it needs a value", arg);
	line->values[id] = equals != NULL ? equals + 1 : argv[++*at];
	return OK;
}

static enum err read_number(const struct ctl_line *line, enum ctl_option_id id,
			    int64_t max, int64_t *number, char error[CTL_ERROR_BYTES])
{
	const char *text = line->values[id];

	if (text == NULL)
		return OK;
	if (slice_to_int64(slice_from_str(text), number) != OK || *number < 1 ||
	    *number > max) {
		(void)snprintf(error, CTL_ERROR_BYTES, "--%s is a number from 1 to %d",
			       ctl_options[id].name, (int)max);
		return ERR_ARGUMENT;
	}
	return OK;
}

static void read_environment(struct ctl_line *line)
{
	for (size_t i = 0; i < CTL_OPTIONS_N; i++) {
		const char *value;

		if (line->values[i] != NULL || ctl_options[i].variable == NULL)
			continue;
		/* Nothing in our processes changes the environment. */
		/* NOLINTNEXTLINE(concurrency-mt-unsafe) */
		value = getenv(ctl_options[i].variable);
		if (value != NULL && value[0] != '\0')
			line->values[i] = value;
	}
}

enum err ctl_options_read(struct ctl_line *line, int argc, char *const *argv,
			  char error[CTL_ERROR_BYTES])
{
	int64_t timeout_s = TIMEOUT_S_DEFAULT;
	bool is_option = true;
	enum err rc = OK;

	*line = (struct ctl_line){ .limit = LIMIT_DEFAULT };
	for (int i = 1; i < argc && rc == OK; i++) {
		if (is_option && strcmp(argv[i], "--") == 0)
			is_option = false;
		else if (is_option && strncmp(argv[i], "--", 2) == 0)
			rc = read_option(line, argc, argv, &i, error);
		else if (line->words_n == CTL_WORDS_MAX)
			rc = fail(error, "too many words", argv[i]);
		else
			line->words[line->words_n++] = argv[i];
	}
	if (rc == OK)
		rc = read_number(line, CTL_LIMIT, LIMIT_MAX, &line->limit, error);
	if (rc == OK)
		rc = read_number(line, CTL_TIMEOUT, TIMEOUT_S_MAX, &timeout_s, error);
	if (rc == OK && line->values[CTL_ALL] != NULL && line->values[CTL_LIMIT] != NULL)
		rc = fail(error, "not together", "--all and --limit");
	line->timeout_ms = timeout_s * 1000;
	if (line->values[CTL_ALL] != NULL)
		line->limit = INT64_MAX;
	read_environment(line);
	return rc;
}
