/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a method can know: who calls, from where, and with which arguments. Reading an
 * argument that is not there is a mistake that fails the call, not the router.
 */
#include "proto/base/http_parse.h"
#include "router/hub_steps.h"
#include "router/hub_user.h"

/* ---- the call */

enum hub_call_kind hub_call_kind(const struct hub_call *call)
{
	return call->kind;
}

struct slice hub_method_name(const struct hub_call *call)
{
	switch (call->kind) {
	case HUB_CALL_CONNECTED:
		return SLICE("on_connected");
	case HUB_CALL_DISCONNECTED:
		return SLICE("on_disconnected");
	case HUB_CALL_USER_ONLINE:
		return SLICE("on_user_online");
	case HUB_CALL_USER_OFFLINE:
		return SLICE("on_user_offline");
	case HUB_CALL_INVOKE:
		break;
	}
	return slice_from_str(call->method->name);
}

struct slice hub_disconnect_reason(const struct hub_call *call)
{
	return call->reason;
}

/* ---- who calls */

struct slice hub_connection_id(const struct hub_call *call)
{
	return call->conn->id;
}

struct slice hub_user_id(const struct hub_call *call)
{
	return call->conn->user_id;
}

struct slice hub_user_name(const struct hub_call *call)
{
	return call->conn->user_name.len > 0 ? call->conn->user_name
					     : call->conn->user_id;
}

bool hub_has_role(const struct hub_call *call, struct slice role)
{
	for (size_t i = 0; i < call->conn->roles_n; i++) {
		if (slice_equal(call->conn->roles[i], role))
			return true;
	}
	return false;
}

struct value *hub_roles(struct hub_call *call)
{
	struct value *roles = hub_array(call);

	for (size_t i = 0; i < call->conn->roles_n; i++)
		hub_add(roles, hub_string(call, call->conn->roles[i]));
	return roles;
}

/* ---- its claims and its request */

const struct value *hub_claims(struct hub_call *call)
{
	struct value *claims;

	if (call->claims != NULL || call->conn->claims.len == 0)
		return call->claims;
	if (value_decode_json(call->conn->claims, &call->arena, &claims) == OK &&
	    claims->type == VALUE_MAP)
		call->claims = claims;
	return call->claims;
}

const struct value *hub_claim(struct hub_call *call, const char *name)
{
	return value_find(hub_claims(call), slice_from_str(name));
}

const char *hub_transport(const struct hub_call *call)
{
	if (hub_call_is_user(call))
		return "";
	switch (call->conn->transport) {
	case LINK__TRANSPORT__TRANSPORT_SERVER_SENT_EVENTS:
		return "ServerSentEvents";
	case LINK__TRANSPORT__TRANSPORT_LONG_POLLING:
		return "LongPolling";
	case LINK__TRANSPORT__TRANSPORT_WEB_SOCKETS:
	case LINK__TRANSPORT__TRANSPORT_NONE:
		break;
	}
	return "WebSockets";
}

struct slice hub_request_header(const struct hub_call *call, const char *name)
{
	const struct conn *conn = call->conn;

	for (size_t i = 0; i < conn->headers_n; i++) {
		if (slice_equal_nocase(conn->headers[i].name, slice_from_str(name)))
			return conn->headers[i].value;
	}
	return SLICE_NONE;
}

struct slice hub_request_query(struct hub_call *call, const char *name)
{
	struct slice value;

	if (http_query_find(call->conn->query, slice_from_str(name), hub_arena(call),
			    &value) != OK)
		return SLICE_NONE;
	return value;
}

struct slice hub_header(struct hub_call *call, const char *name)
{
	if (call->headers == NULL && call->raw_headers.len > 0 &&
	    call->conn->codec->decode_value(call->raw_headers, &call->arena,
					    &call->headers) != OK)
		call->headers = value_map(&call->arena);
	if (call->headers == NULL || call->headers->type != VALUE_MAP)
		return SLICE_NONE;
	for (const struct value *item = call->headers->first; item != NULL;
	     item = item->next) {
		if (item->type == VALUE_STRING &&
		    slice_equal_nocase(item->key, slice_from_str(name)))
			return item->bytes;
	}
	return SLICE_NONE;
}

/* ---- its groups */

size_t hub_groups_n(const struct hub_call *call)
{
	return call->conn->groups_n;
}

/* The names stay where they are until the list changes. */
static void groups_index(struct hub_call *call)
{
	const struct conn *conn = call->conn;
	size_t n = 0;

	call->groups =
		arena_alloc(hub_arena(call), conn->groups_n * sizeof(*call->groups));
	call->groups_changes = conn->groups_changes;
	LIST_EACH (node, &conn->groups)
		call->groups[n++] = CONTAINER_OF(node, struct conn_group, node)->name;
}

struct slice hub_group_at(struct hub_call *call, size_t index)
{
	if (index >= call->conn->groups_n)
		return SLICE_NONE;
	if (call->groups == NULL || call->groups_changes != call->conn->groups_changes)
		groups_index(call);
	return call->groups[index];
}

/* ---- arguments */

size_t hub_args_n(const struct hub_call *call)
{
	return call->arguments_n;
}

/* NULL: there is none that fits, which is a mistake of the method's. */
static const struct value *arg_of(const struct hub_call *call, size_t index,
				  enum value_type type, const char *what)
{
	if (index < call->arguments_n && call->arguments[index]->type == type)
		return call->arguments[index];
	hub_misuse(call, what);
	return NULL;
}

const struct value *hub_arg(const struct hub_call *call, size_t index)
{
	static const struct value nil = { .type = VALUE_NIL };

	if (index < call->arguments_n)
		return call->arguments[index];
	hub_misuse(call, "hub_arg()");
	return &nil;
}

struct slice hub_arg_string(const struct hub_call *call, size_t index)
{
	const struct value *value = arg_of(call, index, VALUE_STRING, "hub_arg_string()");

	return value != NULL ? value->bytes : SLICE("");
}

struct slice hub_arg_bytes(const struct hub_call *call, size_t index)
{
	const struct value *value = arg_of(call, index, VALUE_BINARY, "hub_arg_bytes()");

	return value != NULL ? value->bytes : SLICE("");
}

int64_t hub_arg_int(const struct hub_call *call, size_t index)
{
	const struct value *value = arg_of(call, index, VALUE_INT, "hub_arg_int()");

	return value != NULL ? value->integer : 0;
}

double hub_arg_number(const struct hub_call *call, size_t index)
{
	const struct value *value = hub_arg(call, index);

	if (value->type == VALUE_INT)
		return (double)value->integer;
	value = arg_of(call, index, VALUE_DOUBLE, "hub_arg_number()");
	return value != NULL ? value->real : 0;
}

bool hub_arg_bool(const struct hub_call *call, size_t index)
{
	const struct value *value = arg_of(call, index, VALUE_BOOL, "hub_arg_bool()");

	return value != NULL && value->boolean;
}
