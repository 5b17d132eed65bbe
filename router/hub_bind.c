/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before a method runs: is there one, may the caller use it, and does what it was given
 * fit? The texts of refusals are SignalR's.
 */
#include <assert.h>

#include "proto/base/crypto.h"
#include "router/hub_steps.h"

/* ---- the method */

const struct hub_method *hub_method_find(const struct hub_module *module,
					 struct slice name)
{
	for (size_t i = 0; i < module->methods_n; i++) {
		if (slice_equal_nocase(slice_from_str(module->methods[i].name), name))
			return &module->methods[i];
	}
	return NULL;
}

bool hub_is_detailed(const struct hub_call *call)
{
	return call->conn->hub->conf->is_detailed;
}

void hub_call_refuse(struct hub_call *call, const char *before, struct slice after)
{
	struct arena *arena = &call->arena;

	call->refusal =
		arena_join(arena, arena_printf(arena, "%s '", before), call->target,
			   arena_join(arena, SLICE("' "), after, SLICE_NONE));
	call->rc = HUB_FAILED;
}

static bool has_one_of(const struct hub_call *call, const char *roles)
{
	const struct conn *conn = call->conn;
	struct slice rest = slice_from_str(roles);

	if (strcmp(roles, "*") == 0)
		return conn->user_id.len > 0 || conn->claims.len > 0;
	do {
		if (hub_has_role(call, slice_trim(slice_cut(&rest, ','))))
			return true;
	} while (rest.ptr != NULL);
	return false;
}

/* ---- arguments */

static bool letter_fits(char letter, const struct value *value)
{
	switch (letter) {
	case 's':
		return value->type == VALUE_STRING;
	case 'i':
		return value->type == VALUE_INT;
	case 'n':
		return value->type == VALUE_INT || value->type == VALUE_DOUBLE;
	case 'b':
		return value->type == VALUE_BOOL;
	case 'a':
		return value->type == VALUE_ARRAY;
	case 'm':
		return value->type == VALUE_MAP;
	default:
		assert(letter == 'v');
		return true;
	}
}

/* Bytes in JSON are a string in base64: `value` becomes what it says. */
static bool bytes_fit(struct hub_call *call, const struct value **value)
{
	struct buf bytes = BUF_INIT;
	bool fits;

	if ((*value)->type == VALUE_BINARY)
		return true;
	if ((*value)->type != VALUE_STRING ||
	    call->conn->codec->protocol != HUB_PROTOCOL_JSON)
		return false;
	fits = crypto_base64_decode(&bytes, (*value)->bytes) == OK;
	if (fits)
		*value = value_binary(&call->arena,
				      arena_dup(&call->arena, buf_slice(&bytes)));
	buf_fini(&bytes);
	return fits;
}

static bool argument_fits(struct hub_call *call, size_t index, char letter)
{
	return letter == 'y' ? bytes_fit(call, &call->arguments[index])
			     : letter_fits(letter, call->arguments[index]);
}

/* Takes the next letter that stands for an argument off `*at`. */
static char next_letter(const char **at)
{
	while (**at == '~')
		++*at;
	return *(*at)++;
}

static void letters_count(const char *letters, size_t *arguments_n, bool *is_open)
{
	*arguments_n = 0;
	*is_open = false;
	for (const char *at = letters; *at != '\0'; at++) {
		*is_open = *at == '*';
		*arguments_n += *at != '~' && *at != '*';
	}
}

/* False: `*detail` is for detailed errors. */
static bool bind_arguments(struct hub_call *call, struct slice *detail)
{
	const char *letters = call->method->arguments;
	struct value *array;
	size_t wanted;
	bool is_open;

	letters_count(letters, &wanted, &is_open);
	if (call->conn->codec->decode_value(call->raw_arguments, &call->arena, &array) !=
		    OK ||
	    array->type != VALUE_ARRAY) {
		*detail = SLICE(" InvalidDataException: Error binding arguments.");
		return false;
	}
	if (array->count < wanted || (array->count > wanted && !is_open)) {
		*detail = arena_printf(&call->arena,
				       " InvalidDataException: Invocation provides %zu "
				       "argument(s) but target expects %zu.",
				       array->count, wanted);
		return false;
	}
	call->arguments =
		arena_alloc(&call->arena, array->count * sizeof(*call->arguments));
	for (const struct value *item = array->first; item != NULL; item = item->next) {
		const size_t i = call->arguments_n++;

		call->arguments[i] = item;
		if (i < wanted && !argument_fits(call, i, next_letter(&letters))) {
			*detail =
				SLICE(" InvalidDataException: Error binding arguments. "
				      "Make sure that the types of the provided values "
				      "match the types of the hub method being invoked.");
			return false;
		}
	}
	return true;
}

/* ---- everything */

static bool refuse_unbound(struct hub_call *call, struct slice detail)
{
	if (!hub_is_detailed(call))
		detail = SLICE_NONE;
	call->runtime->router->metrics.invoke_unbound_total++;
	hub_call_refuse(call, "Failed to invoke",
			arena_printf(&call->arena, "due to an error on the server.%.*s",
				     SLICE_FMT(detail)));
	return false;
}

/* Does the client want what the method gives: one result, or a stream? */
static bool is_fit(struct hub_call *call)
{
	if (call->is_stream == call->method->is_stream)
		return true;
	call->runtime->router->metrics.invoke_unbound_total++;
	if (call->is_stream)
		hub_call_refuse(call, "The client attempted to invoke the non-streaming",
				SLICE("method with a streaming invocation."));
	else
		hub_call_refuse(call, "The client attempted to invoke the streaming",
				SLICE("method with a non-streaming invocation."));
	return false;
}

/* Does it send as many streams as the method wants? */
static bool is_fed(struct hub_call *call)
{
	const size_t wanted = hub_method_streams(call->method);

	if (call->streams_sent == wanted)
		return true;
	call->runtime->router->metrics.invoke_unbound_total++;
	hub_call_refuse(call, "An unexpected error occurred invoking",
			arena_printf(&call->arena,
				     "on the server. HubException: Client sent %zu "
				     "stream(s), Hub method expects %zu.",
				     call->streams_sent, wanted));
	return false;
}

/* The id of a stream names it to the client until its end. */
static bool is_id_free(struct hub_call *call)
{
	if (!call->is_stream)
		return true;
	LIST_EACH (node, &call->conn->begun) {
		const struct hub_call *other =
			CONTAINER_OF(node, struct hub_call, conn_node);

		if (other == call)
			break; /* what began later will find us */
		if (!other->is_stream ||
		    !slice_equal(other->invocation_id, call->invocation_id))
			continue;
		call->refusal =
			arena_join(&call->arena, SLICE("Invocation ID '"),
				   call->invocation_id, SLICE("' is already in use."));
		call->rc = HUB_FAILED;
		return false;
	}
	return true;
}

bool hub_call_bind(struct hub_call *call)
{
	struct router_metrics *metrics = &call->runtime->router->metrics;
	const struct hub_method *method = call->method;
	struct slice detail = SLICE_NONE;

	if (call->conn->is_refused) {
		hub_call_refuse(call, "Failed to invoke",
				SLICE("because the connection was refused."));
		return false;
	}
	if (method == NULL) {
		metrics->invoke_unknown_total++;
		hub_call_refuse(call, "Failed to invoke",
				SLICE("due to an error on the server. "
				      "HubException: Method does not exist."));
		return false;
	}
	if (method->roles != NULL && !has_one_of(call, method->roles)) {
		metrics->invoke_unauthorized_total++;
		hub_call_refuse(call, "Failed to invoke",
				SLICE("because user is unauthorized"));
		return false;
	}
	if (!bind_arguments(call, &detail))
		return refuse_unbound(call, detail);
	if (!is_fit(call) || !is_fed(call) || !is_id_free(call))
		return false;
	call->fn = method->fn;
	return true;
}
