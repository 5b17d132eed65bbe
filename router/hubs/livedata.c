/* SPDX-License-Identifier: Apache-2.0 */
/*
 * livedata: the last value of everything that is measured, and every change of it. A data
 * type is a key of the hub's state, what is measured a field of it:
 *
 *	stocks: AAPL {"value": 231.5, "timestamp": "..."}, MSFT {...}
 *
 * A producer's reading is put there. A stream to a reader goes from what has changed to
 * what has changed since: all of it at first, which is the snapshot, then what is new. So
 * nothing is kept for a reader, however slow it is: it misses values, never the last one.
 */
#include "router/hubs/hubs.h"
#include "router/hubs/iso_time.h"
#include "router/hubs/permission.h"

#include "router/hubs/livedata.gen.h"

#define TYPE_BYTES_MAX 128u
#define KEY_BYTES_MAX 256u
#define FILTER_BYTES_MAX 256u

/* A stream waits for so long, then asks again. */
#define WAIT_MS 30000

/* Its shard, or Redis, is away, or too many wait there: it looks again after so long. */
#define AWAY_MS 500

/* Whose clients get DataUpdated: they have joined with SubscribeToDataUpdates. */
#define EVENTS_HUB "notifications"

enum {
	OPTION_KEYS_MAX,
	OPTION_TTL,
	OPTION_VALUE_BYTES_MAX,
	OPTION_PUBLISH,
	OPTION_SUBSCRIBE
};

static const struct hub_option options[] = {
	[OPTION_KEYS_MAX] = { "keys_max", HUB_OPTION_INT, "1000", 1, HUB_ENTRIES_MAX,
			      "Values of one data type; past it the one that has not "
			      "changed "
			      "for longest goes." },
	[OPTION_TTL] = { "ttl", HUB_OPTION_MS, "24h", 1000, HUB_TTL_MS_MAX,
			 "A data type that nothing is published of for so long is "
			 "forgotten." },
	[OPTION_VALUE_BYTES_MAX] = { "value_bytes_max", HUB_OPTION_BYTES, "16KiB", 64,
				     262144, "A reading's value, as JSON." },
	[OPTION_PUBLISH] = { "publish_open", HUB_OPTION_BOOL, "off", 0, 1,
			     "Anybody may publish, not only those whose token has the "
			     "role "
			     "livedata.publish." },
	[OPTION_SUBSCRIBE] = { "subscribe_open", HUB_OPTION_BOOL, "on", 0, 1,
			       "Anybody may subscribe, not only those whose token has "
			       "the role livedata.subscribe; off: there are no events "
			       "DataUpdated." },
};

enum { COUNTER_READINGS, COUNTER_UPDATES, COUNTER_REFUSED };

static const char *const counters[] = {
	[COUNTER_READINGS] = "readings",
	[COUNTER_UPDATES] = "updates",
	[COUNTER_REFUSED] = "refused",
};

static enum hub_rc check_type(struct hub_call *call, struct slice data_type)
{
	if (data_type.len == 0 || data_type.len > TYPE_BYTES_MAX)
		return hub_fail(call, "A data type has 1 to %u bytes.", TYPE_BYTES_MAX);
	return HUB_OK;
}

static enum hub_rc check_permission(struct hub_call *call, size_t open_option,
				    struct slice verb, struct slice data_type)
{
	return hub_option_int(call, open_option) != 0
		       ? HUB_OK
		       : permission_check(call, verb, data_type);
}

/* Of what the checks say. */
static enum hub_rc checked(struct hub_call *call, enum hub_rc rc)
{
	if (rc != HUB_OK)
		hub_count(call, COUNTER_REFUSED, 1);
	return rc;
}

/* ---- what is kept of a value */

static struct slice entry_encode(struct hub_call *call, const struct value *value,
				 struct slice timestamp)
{
	struct value *entry = hub_map(call);

	hub_set(entry, "value", hub_copy(call, value));
	hub_set(entry, "timestamp", hub_string(call, timestamp));
	return hub_encode(call, entry);
}

/* False: somebody else has put it there. */
static bool entry_decode(struct hub_call *call, struct slice bytes,
			 struct livedata_data_update *update)
{
	const struct value *entry = hub_decode(call, bytes);
	const struct value *timestamp;

	if (entry == NULL)
		return false;
	update->value = value_find(entry, SLICE("value"));
	timestamp = value_find(entry, SLICE("timestamp"));
	if (update->value == NULL || timestamp == NULL || timestamp->type != VALUE_STRING)
		return false;
	update->timestamp = timestamp->bytes;
	return true;
}

/* ---- Subscribe */

struct subscription {
	struct slice data_type;
	struct slice filter;
	uint64_t after;	   /* the version that the reader has come to */
	uint64_t snapshot; /* the one that was there when it began */
	bool has_begun;
	bool may_wait; /* else it looks, and comes back later */
};

static bool is_wanted(const struct subscription *subscription, struct slice key)
{
	return subscription->filter.len == 0 ||
	       pattern_matches(subscription->filter, key);
}

static enum hub_rc send_item(struct hub_call *call,
			     const struct subscription *subscription,
			     const struct hub_field *field)
{
	struct livedata_data_update update = {
		.data_type = subscription->data_type,
		.key = field->name,
		.version = (int64_t)field->version,
		.is_snapshot = field->version <= subscription->snapshot,
	};

	if (!is_wanted(subscription, field->name) ||
	    !entry_decode(call, field->bytes, &update))
		return HUB_OK;
	hub_count(call, COUNTER_UPDATES, 1);
	return livedata_await_subscribe_item(call, &update);
}

/* What there is room for; the rest is read anew when there is more, since it may have
 * changed until then. */
static enum hub_rc send_items(struct hub_call *call, struct subscription *subscription,
			      const struct hub_changes *changes)
{
	enum hub_rc rc = HUB_OK;

	if (!subscription->has_begun)
		subscription->snapshot = changes->version;
	subscription->has_begun = true;
	for (size_t i = 0; i < changes->n && rc == HUB_OK; i++) {
		if (!hub_has_room(call))
			return hub_await_room(call);
		rc = send_item(call, subscription, &changes->fields[i]);
		subscription->after = changes->fields[i].version;
	}
	return rc;
}

/* Waits for what is newer than what the reader has, and sends it. */
static enum hub_rc send_changes(struct hub_call *call, struct subscription *subscription)
{
	struct hub_changes changes;
	const enum hub_rc rc =
		hub_await_changes(call, subscription->data_type, subscription->after,
				  subscription->may_wait ? WAIT_MS : 0, &changes);

	subscription->may_wait = rc != HUB_ELIMIT;
	switch (rc) {
	case HUB_OK:
		return send_items(call, subscription, &changes);
	case HUB_ETIMEDOUT:
		return HUB_OK;
	case HUB_ELIMIT:
	case HUB_EUNAVAILABLE:
		return hub_await_sleep(call, AWAY_MS);
	case HUB_FAILED:
	case HUB_ECANCELED:
	case HUB_ENOTFOUND:
	case HUB_END:
	case HUB_ECONFLICT:
		break;
	}
	return rc;
}

static enum hub_rc check_subscription(struct hub_call *call,
				      const struct subscription *subscription)
{
	const enum hub_rc rc = check_type(call, subscription->data_type);

	if (rc != HUB_OK)
		return rc;
	if (subscription->filter.len > FILTER_BYTES_MAX)
		return hub_fail(call, "A filter has at most %u bytes.", FILTER_BYTES_MAX);
	return check_permission(call, OPTION_SUBSCRIBE, SLICE("livedata.subscribe"),
				subscription->data_type);
}

static enum hub_rc livedata_on_subscribe(struct hub_call *call, struct slice data_type,
					 struct slice filter)
{
	struct subscription subscription = { .data_type = data_type, .filter = filter };
	enum hub_rc rc = checked(call, check_subscription(call, &subscription));

	while (rc == HUB_OK) {
		hub_scratch(call);
		rc = send_changes(call, &subscription);
	}
	return rc;
}

/* ---- Publish */

static enum hub_rc check_reading(struct hub_call *call, size_t number,
				 struct livedata_reading *reading)
{
	const size_t bytes_max = (size_t)hub_option_int(call, OPTION_VALUE_BYTES_MAX);
	char timestamp[ISO_TIME_BYTES];
	int64_t unix_ms;

	if (reading->key.len == 0 || reading->key.len > KEY_BYTES_MAX ||
	    slice_find(reading->key, '*') >= 0)
		return hub_fail(call, "Reading %zu: a key has 1 to %u bytes and no star.",
				number, KEY_BYTES_MAX);
	if (hub_encode(call, reading->value).len > bytes_max)
		return hub_fail(call, "Reading %zu: its value has more than %zu bytes.",
				number, bytes_max);
	if (reading->timestamp.ptr == NULL) {
		reading->timestamp = hub_timestamp(call);
		return HUB_OK;
	}
	if (!iso_time_read(reading->timestamp, &unix_ms))
		return hub_fail(call,
				"Reading %zu: a timestamp is like 2026-11-22T10:00:00Z.",
				number);
	iso_time_write(unix_ms, timestamp);
	reading->timestamp = hub_printf(call, "%s", timestamp);
	return HUB_OK;
}

/* Those that asked for this key, and those that asked for all. Their hub lets anybody
 * ask, so what is not for everybody is in streams only. */
static void send_event(struct hub_call *call, const struct livedata_data_update *update)
{
	const struct slice prefix = hub_concat(
		call, hub_concat(call, SLICE("data-"), update->data_type), SLICE("-"));
	const struct slice groups[] = {
		hub_concat(call, prefix, update->key),
		hub_concat(call, prefix, SLICE("*")),
		prefix,
	};
	const size_t n = sizeof(groups) / sizeof(groups[0]);

	if (!hub_option_int(call, OPTION_SUBSCRIBE))
		return;
	livedata_data_updated(call, hub_to_in(EVENTS_HUB, hub_to_groups(groups, n)),
			      update);
}

static enum hub_rc publish(struct hub_call *call, struct slice data_type,
			   const struct livedata_reading *reading)
{
	const struct hub_bounds bounds = {
		.entries_max = (uint32_t)hub_option_int(call, OPTION_KEYS_MAX),
		.ttl_ms = hub_option_int(call, OPTION_TTL),
	};
	struct livedata_data_update update = {
		.data_type = data_type,
		.key = reading->key,
		.value = reading->value,
		.timestamp = reading->timestamp,
	};
	uint64_t version;
	enum hub_rc rc;

	rc = hub_await_field_put(call, data_type, reading->key,
				 entry_encode(call, reading->value, reading->timestamp),
				 &bounds, HUB_ANY, &version);
	if (rc != HUB_OK)
		return rc;
	update.version = (int64_t)version;
	hub_count(call, COUNTER_READINGS, 1);
	send_event(call, &update);
	return HUB_OK;
}

static enum hub_rc livedata_on_publish(struct hub_call *call, struct slice data_type,
				       int64_t *result)
{
	struct livedata_reading reading;
	enum hub_rc rc = check_type(call, data_type);

	if (rc == HUB_OK)
		rc = check_permission(call, OPTION_PUBLISH, SLICE("livedata.publish"),
				      data_type);
	rc = checked(call, rc);
	*result = 0;
	while (rc == HUB_OK) {
		hub_scratch(call);
		rc = livedata_await_publish_readings(call, &reading);
		if (rc == HUB_OK)
			rc = checked(call,
				     check_reading(call, (size_t)*result + 1, &reading));
		if (rc == HUB_OK)
			rc = publish(call, data_type, &reading);
		if (rc == HUB_OK)
			++*result;
	}
	return rc == HUB_END ? HUB_OK : rc;
}

const struct hub_module livedata_hub = {
	.api_version = HUB_API_VERSION,
	.name = "livedata",
	.methods = livedata_methods,
	.methods_n = sizeof(livedata_methods) / sizeof(livedata_methods[0]),
	.options = options,
	.options_n = sizeof(options) / sizeof(options[0]),
	.counters = counters,
	.counters_n = sizeof(counters) / sizeof(counters[0]),
};
