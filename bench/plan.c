/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/carrier.h"
#include "bench/dialect.h"
#include "bench/scenario.h"
#include "bench/url.h"

#define PORTS_FILE "/proc/sys/net/ipv4/ip_local_port_range"
#define PORTS_DEFAULT 28000u
#define SOURCES_MAX 250u
/* The kernel takes long to find the last free ports. */
#define PORTS_USED_PERCENT 90u

/* The kernel looks for a free port among the even ones first, and one by one: with more
 * than half of the ports taken a connect costs four times as much. */
#define PORTS_EASY_PERCENT 40u

static enum err refuse(char error[PLAN_ERROR_MAX], const char *format, ...)
	PRINTF_LIKE(2, 3);

static enum err refuse(char error[PLAN_ERROR_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(error, PLAN_ERROR_MAX, format, args); /* cut when too long */
	va_end(args);
	return ERR_ARGUMENT;
}

void plan_machine(struct plan_machine *machine)
{
	struct rlimit limit = { 0 };
	unsigned low = 0;
	unsigned high = 0;
	FILE *in = fopen(PORTS_FILE, "re");

	machine->descriptors = 1024;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		machine->descriptors = limit.rlim_max;
	machine->ports = PORTS_DEFAULT;
	if (in == NULL)
		return;
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's numbers are in range */
	if (fscanf(in, "%u %u", &low, &high) == 2 && high > low)
		machine->ports = high - low + 1;
	(void)fclose(in); /* only read */
}

/* ---- what fits together */

static enum err check_languages(const struct bench_conf *conf, char error[PLAN_ERROR_MAX])
{
	const char *protocol = bench_protocols[conf->protocol];
	const char *transport = bench_transports[conf->transport];
	const struct dialect *dialect = dialect_named(protocol);
	const struct carrier_ops *carrier = carrier_named(transport);
	const struct scenario *scenario = scenario_named(conf->scenario);
	bool is_tcp = strcmp(transport, "tcp") == 0;

	if (scenario == NULL)
		return refuse(error,
			      "scenario = %s: there is none of that name; --list "
			      "shows them",
			      conf->scenario);
	if (dialect == NULL || carrier == NULL)
		return refuse(error, "protocol = %s: not in this build", protocol);
	if (scenario->needs_results && !dialect->has_results)
		return refuse(error,
			      "scenario = %s: it awaits answers, which protocol = %s "
			      "does not have",
			      scenario->name, protocol);
	if (scenario->needs_ids && !(dialect->is_negotiated && conf->negotiate))
		return refuse(error,
			      "scenario = %s: it needs connection ids, which come with "
			      "negotiate = on",
			      scenario->name);
	if (is_tcp != (strcmp(protocol, "nats") == 0))
		return refuse(error, "protocol = %s: it does not go over transport = %s",
			      protocol, transport);
	if (carrier->needs_id && !dialect->is_negotiated)
		return refuse(error, "protocol = %s: it goes over websockets only",
			      protocol);
	if (carrier->is_text_only && !dialect->is_text)
		return refuse(error, "protocol = %s: %s carries text only", protocol,
			      transport);
	if (carrier->needs_id && !conf->negotiate)
		return refuse(error,
			      "negotiate = off: only websockets need no negotiation");
	if (scenario->is_held && conf->search[0] != '\0')
		return refuse(error, "search = %s: scenario = %s has no rate",
			      conf->search, scenario->name);
	return OK;
}

static enum err check_history(const struct bench_conf *conf, char error[PLAN_ERROR_MAX])
{
	const bool is_recorded = strcmp(conf->scenario, "recorded") == 0;
	const bool has_file = conf->history[0] != '\0';

	if (is_recorded && !has_file)
		return refuse(error, "scenario = recorded: it needs history = FILE");
	if (!is_recorded && has_file)
		return refuse(error,
			      "history = %s: scenario = %s writes none, only "
			      "recorded does",
			      conf->history, conf->scenario);
	return OK;
}

/* The sockets that a client has open at once: a poll or an event stream leaves none for
 * what it sends meanwhile. */
static uint64_t sockets_of(const struct bench_conf *conf)
{
	const char *transport = bench_transports[conf->transport];

	return strcmp(transport, "sse") == 0 || strcmp(transport, "longpolling") == 0 ? 2
										      : 1;
}

static enum err settle_workers(struct bench_conf *conf,
			       const struct plan_machine *machine,
			       char error[PLAN_ERROR_MAX])
{
	uint64_t sockets = sockets_of(conf);
	uint64_t usable =
		machine->descriptors > PLAN_DESCRIPTORS_SPARE
			? (machine->descriptors - PLAN_DESCRIPTORS_SPARE) / sockets
			: 0;
	uint64_t n = (uint64_t)conf->connections;
	uint64_t each =
		usable < PLAN_WORKER_CONNECTIONS ? usable : PLAN_WORKER_CONNECTIONS;

	if (each == 0)
		return refuse(error, "a process may have %llu descriptors only",
			      (unsigned long long)machine->descriptors);
	if (conf->workers == 0)
		conf->workers = (int64_t)((n + each - 1) / each);
	if (conf->workers > conf->connections)
		conf->workers = conf->connections;
	if ((n + (uint64_t)conf->workers - 1) / (uint64_t)conf->workers > usable)
		return refuse(error,
			      "connections = %llu: %lld workers may have %llu each "
			      "(RLIMIT_NOFILE is %llu); it takes workers = %llu",
			      (unsigned long long)n, (long long)conf->workers,
			      (unsigned long long)usable,
			      (unsigned long long)machine->descriptors,
			      (unsigned long long)((n + usable - 1) / usable));
	return OK;
}

static enum err settle_sources(struct bench_conf *conf, const struct url *url,
			       const struct plan_machine *machine,
			       char error[PLAN_ERROR_MAX])
{
	uint64_t ports = (uint64_t)machine->ports * PORTS_USED_PERCENT / 100;
	uint64_t ports_easy = (uint64_t)machine->ports * PORTS_EASY_PERCENT / 100 + 1;
	uint64_t demand = (uint64_t)conf->connections * sockets_of(conf);
	uint64_t least;
	uint64_t easy;

	if (ports == 0)
		ports = 1;
	least = (demand + ports - 1) / ports;
	easy = (demand + ports_easy - 1) / ports_easy;
	if (conf->sources == 0 && url_is_local(url))
		conf->sources = (int64_t)(easy < SOURCES_MAX ? easy : SOURCES_MAX);
	else if (conf->sources == 0)
		conf->sources = (int64_t)least;
	if (conf->sources > 1 && !url_is_local(url))
		return refuse(error,
			      "sources = %lld: connections come from 127.0.0.x, "
			      "which only a local server sees%s",
			      (long long)conf->sources,
			      (uint64_t)conf->sources == least
				      ? "; run more tools, on more machines"
				      : "");
	if ((uint64_t)conf->sources < least || least > SOURCES_MAX)
		return refuse(error,
			      "connections = %lld: %lld source addresses have %llu ports "
			      "each; it takes sources = %llu",
			      (long long)conf->connections, (long long)conf->sources,
			      (unsigned long long)ports, (unsigned long long)least);
	return OK;
}

enum err plan_settle(struct bench_conf *conf, const struct plan_machine *machine,
		     char error[PLAN_ERROR_MAX])
{
	struct url url = { 0 };
	enum err rc = url_read(slice_from_str(conf->url), &url);

	if (rc == ERR_UNSUPPORTED)
		return refuse(error,
			      "url = %s: http, ws, tcp and nats are known; https is not: "
			      "measure behind a proxy that ends TLS",
			      conf->url);
	if (rc != OK)
		return refuse(error, "url = %s: expected http://host:port/path",
			      conf->url);
	rc = check_languages(conf, error);
	if (rc == OK)
		rc = check_history(conf, error);
	if (rc == OK)
		rc = settle_workers(conf, machine, error);
	if (rc == OK)
		rc = settle_sources(conf, &url, machine, error);
	if (rc != OK)
		return rc;
	if (conf->groups > conf->connections && conf->group_size == 0)
		conf->group_size = 1;
	if (conf->group_size == 0)
		conf->group_size = conf->connections / conf->groups;
	if (conf->search[0] != '\0')
		conf->rate = conf->search_from;
	if (conf->rate == 0 && conf->in_flight == 0)
		conf->in_flight = 1;
	return OK;
}
