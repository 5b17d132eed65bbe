/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion. The shells' scripts are short: they give the words of the line, the last of
 * which is not finished, to "ctl complete", which prints what it may become, one a line.
 * So every shell knows what the tables know, and the names that presence knows.
 */
#include <string.h>

#include "presence/ctl_private.h"
#include "presence/ctl_text.h"

#define IDS_MAX 50
#define ASK_TIMEOUT_MS 1000

/* The line is cut by blanks here, not by the shell, which would cut at ':' and '=' too;
 * what it takes for the word's beginning is taken off again. */
static const char script_bash[] =
	"# heliograph-presence: source this, or put it into bash-completion's folder.\n"
	"_heliograph_presence() {\n"
	"  local line=${COMP_LINE:0:COMP_POINT} cur=${COMP_WORDS[COMP_CWORD]} word "
	"words\n"
	"  read -ra words <<<\"$line\"\n"
	"  [[ $line == *[[:space:]] ]] && words+=('')\n"
	"  local whole=${words[-1]}\n"
	"  [[ $cur == [=:] ]] && cur=\n"
	"  COMPREPLY=()\n"
	"  if ((${#words[@]} == 2)); then\n"
	"    [[ ctl == \"$whole\"* ]] && COMPREPLY=('ctl ')\n"
	"    return\n"
	"  fi\n"
	"  [[ ${words[1]} == ctl ]] || return\n"
	"  while IFS= read -r word; do\n"
	"    [[ $word == *= ]] || word=\"$word \"\n"
	"    COMPREPLY+=(\"${word#\"${whole%\"$cur\"}\"}\")\n"
	"  done < <(\"${words[0]}\" ctl complete \"${words[@]:2}\" 2>/dev/null)\n"
	"}\n"
	"complete -o nospace -o default -F _heliograph_presence heliograph-presence\n";

static const char script_zsh[] =
	"#compdef heliograph-presence\n"
	"# Source this, or put it into a folder of $fpath as _heliograph-presence.\n"
	"_heliograph_presence() {\n"
	"  local -a found options\n"
	"  if ((CURRENT == 2)); then\n"
	"    compadd ctl\n"
	"    return\n"
	"  fi\n"
	"  [[ ${words[2]} == ctl ]] || return\n"
	"  found=(${(f)\"$(${words[1]} ctl complete \"${(@)words[3,CURRENT]}\" "
	"2>/dev/null)\"})\n"
	"  options=(${(M)found:#*=})\n"
	"  compadd -S '' -- $options\n"
	"  compadd -- ${found:|options}\n"
	"}\n"
	"compdef _heliograph_presence heliograph-presence\n";

int ctl_run_completion(struct ctl *ctl)
{
	if (slice_equal(ctl_arg(ctl, 0), SLICE("bash")))
		buf_append_str(&ctl->out, script_bash);
	else
		buf_append_str(&ctl->out, script_zsh);
	return CTL_EXIT_OK;
}

/* ---- what the word may become */

struct completion {
	struct ctl *ctl;
	struct slice word; /* so far */
};

/* A name that a shell or a terminal would take for something else is not offered. */
static bool is_safe(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (strchr(" \t'\"\\`$&;<>()|*?[]{}!#~", text.ptr[i]) != NULL)
			return false;
	}
	return text.len > 0 && ctl_text_is_plain(text);
}

static void offer(const struct completion *completion, struct slice text)
{
	if (!slice_starts_with(text, completion->word))
		return;
	buf_append_slice(&completion->ctl->out, text);
	buf_append_byte(&completion->ctl->out, '\n');
}

static void offer_options(const struct completion *completion,
			  const struct ctl_command *command)
{
	for (size_t i = 0; i < CTL_OPTIONS_N; i++) {
		struct buf name = BUF_INIT;

		if (command == NULL ? (CTL_OPTIONS_COMMON & CTL_OPTION(i)) == 0
				    : !ctl_command_has(command, i))
			continue;
		buf_appendf(&name, "--%s%s", ctl_options[i].name,
			    ctl_options[i].value != NULL ? "=" : "");
		offer(completion, buf_slice(&name));
		buf_fini(&name);
	}
}

/* The words of names behind those that are there, each once: of "group" and "group add"
 * one is enough. */
static void offer_names(const struct completion *completion)
{
	const struct ctl_line *line = &completion->ctl->line;

	for (size_t i = 0; i < ctl_commands_n; i++) {
		struct slice name = slice_from_str(ctl_commands[i].name);
		struct slice word = slice_cut(&name, ' ');

		if (line->words_n == 0 && name.ptr == NULL)
			offer(completion, word);
		if (line->words_n == 1 && name.ptr != NULL &&
		    slice_equal(word, slice_from_str(line->words[0])))
			offer(completion, name);
	}
}

/* ---- names that presence knows */

static void offer_members(const struct completion *completion, const struct value *answer,
			  struct slice list, struct slice key)
{
	const struct value *array = value_find(answer, list);

	if (array == NULL || array->type != VALUE_ARRAY)
		return;
	for (const struct value *item = array->first; item != NULL; item = item->next) {
		const struct value *found = value_find(item, key);

		if (found != NULL && found->type == VALUE_STRING && is_safe(found->bytes))
			offer(completion, found->bytes);
	}
}

static void offer_users(const struct completion *completion)
{
	struct ctl *ctl = completion->ctl;
	const struct value *answer = NULL;
	struct buf target = BUF_INIT;

	buf_appendf(&target, "/api/v1/users?limit=%d&prefix=", IDS_MAX);
	ctl_append_encoded(&target, completion->word);
	if (ctl_get(ctl, buf_slice(&target), &answer) == CTL_EXIT_OK)
		offer_members(completion, answer, SLICE("users"), SLICE("userId"));
	buf_fini(&target);
}

static void offer_groups(const struct completion *completion, const char *hub)
{
	struct ctl *ctl = completion->ctl;
	const struct value *answer = NULL;
	struct buf target = BUF_INIT;

	buf_append_str(&target, "/api/v1/hubs/");
	ctl_append_encoded(&target, slice_from_str(hub));
	buf_appendf(&target, "/groups?limit=%d", IDS_MAX);
	if (ctl_get(ctl, buf_slice(&target), &answer) == CTL_EXIT_OK)
		offer_members(completion, answer, SLICE("groups"), SLICE("name"));
	buf_fini(&target);
}

static void offer_gateways(const struct completion *completion)
{
	const struct value *answer = NULL;
	const struct value *processes;

	if (ctl_get(completion->ctl, SLICE("/api/v1/processes"), &answer) != CTL_EXIT_OK)
		return;
	processes = value_find(answer, SLICE("processes"));
	if (processes == NULL || processes->type != VALUE_ARRAY)
		return;
	for (const struct value *at = processes->first; at != NULL; at = at->next) {
		const struct value *role = value_find(at, SLICE("role"));
		const struct value *name = value_find(at, SLICE("name"));

		if (role != NULL && name != NULL && role->type == VALUE_STRING &&
		    name->type == VALUE_STRING &&
		    slice_equal(role->bytes, SLICE("gateway")) && is_safe(name->bytes))
			offer(completion, name->bytes);
	}
}

/* A value of that kind. A hub stands before its group, or before the word "group". */
static void offer_values(const struct completion *completion, struct slice kind)
{
	const char *const *words = completion->ctl->line.words;
	const size_t words_n = completion->ctl->line.words_n;
	const struct slice last = slice_from_str(words[words_n - 1]);

	if (slice_equal(kind, SLICE("USER")) || slice_equal(kind, SLICE("PREFIX")) ||
	    (slice_equal(last, SLICE("user")) &&
	     (slice_equal(kind, SLICE("ID")) || slice_equal(kind, SLICE("NAME")))))
		offer_users(completion);
	else if (slice_equal(kind, SLICE("GROUP")))
		offer_groups(completion, words[words_n - 1]);
	else if (slice_equal(kind, SLICE("NAME")) && slice_equal(last, SLICE("group")))
		offer_groups(completion, words[words_n - 2]);
	else if (slice_equal(kind, SLICE("GATEWAY")))
		offer_gateways(completion);
}

static void offer_words(const struct completion *completion,
			const struct ctl_command *command, size_t name_n)
{
	const struct ctl_line *line = &completion->ctl->line;
	bool is_optional = false;
	struct slice word =
		ctl_command_word(command, line->words_n - name_n, &is_optional);

	if (slice_find(word, '|') < 0) {
		offer_values(completion, word);
		return;
	}
	while (word.ptr != NULL)
		offer(completion, slice_cut(&word, '|'));
}

int ctl_complete(struct ctl *ctl, int argc, char *const *argv)
{
	struct completion completion = { .ctl = ctl,
					 .word = slice_from_str(argv[argc - 1]) };
	const struct ctl_command *command;
	char error[CTL_ERROR_BYTES];
	size_t name_n = 0;

	ctl->is_quiet = true;
	if (argc < 2 || ctl_options_read(&ctl->line, argc - 1, argv, error) != OK)
		return CTL_EXIT_OK;
	ctl->line.timeout_ms = ASK_TIMEOUT_MS;
	command = ctl_command_find(ctl->line.words, ctl->line.words_n, &name_n);
	if (slice_starts_with(completion.word, SLICE("-"))) {
		offer_options(&completion, command);
		return CTL_EXIT_OK;
	}
	offer_names(&completion);
	if (command != NULL)
		offer_words(&completion, command, name_n);
	return CTL_EXIT_OK;
}
