/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim [--seed=FIRST] [--n=COUNT] [--jobs=N] [--verbose] [--quiet] [--first]
 *
 * Runs schedules, each in a process of its own, so that a crash is that schedule's and
 * memory of killed processes goes with it. Some are run twice: their traces must be the
 * same. Exit status 1 when any failed.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/schedule.h"

#define SCHEDULES_MAX 1000000u
#define JOBS_MAX 64
#define TWICE_EVERY 50u
#define SECONDS_MAX 300 /* of real time, for one schedule on a busy machine */
#define FAILURES_MAX 10u

struct options {
	uint64_t seed;
	unsigned n;
	unsigned jobs;
	bool is_verbose;
	bool is_quiet; /* no faults */
	bool is_first; /* ends with the first that fails */
};

/* Shared with the schedules' processes. */
struct slot {
	struct schedule_result result;
};

struct job {
	pid_t pid; /* 0: free */
	unsigned index;
	bool is_second; /* the same once more */
};

static struct {
	struct options options;
	struct slot *slots; /* JOBS_MAX */
	struct job jobs[JOBS_MAX];
	unsigned running;
	unsigned started;
	unsigned done;
	unsigned failed;
	uint64_t hashes[JOBS_MAX]; /* of the first of two */
	struct schedule_result sum;
} run;

static uint64_t seed_of(unsigned index)
{
	return run.options.seed + index;
}

static void child(struct job *job, struct slot *slot)
{
	(void)alarm(SECONDS_MAX);
	schedule_run(seed_of(job->index), STDERR_FILENO, run.options.is_verbose,
		     run.options.is_quiet, &slot->result);
	_exit(EXIT_SUCCESS);
}

static void job_start(unsigned i, unsigned index, bool is_second)
{
	struct job *job = &run.jobs[i];

	*job = (struct job){ .index = index, .is_second = is_second };
	memset(&run.slots[i], 0, sizeof(run.slots[i]));
	job->pid = fork();
	if (job->pid == 0)
		child(job, &run.slots[i]);
	if (job->pid < 0) {
		perror("sim: fork");
		exit(EXIT_FAILURE); /* NOLINT(concurrency-mt-unsafe): one thread */
	}
	run.running++;
}

static void sum_up(const struct schedule_result *result)
{
	struct history_figures *sum = &run.sum.history;

	run.sum.virtual_us += result->virtual_us;
	run.sum.turns += result->turns;
	run.sum.bytes += result->bytes;
	run.sum.steps += result->steps;
	run.sum.handed_over += result->handed_over;
	sum->sessions += result->history.sessions;
	sum->sent += result->history.sent;
	sum->accepted += result->history.accepted;
	sum->refused += result->history.refused;
	sum->open += result->history.open;
	sum->received += result->history.received;
	sum->owed += result->history.owed;
}

static void tell_failed(const struct job *job, int status)
{
	const uint64_t seed = seed_of(job->index);

	run.failed++;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		fprintf(stderr, "seed %" PRIu64 ": no end within %d s\n", seed,
			SECONDS_MAX);
	else if (WIFSIGNALED(status))
		fprintf(stderr, "seed %" PRIu64 ": killed by signal %d\n", seed,
			WTERMSIG(status));
	else if (WEXITSTATUS(status) != 3)
		fprintf(stderr, "seed %" PRIu64 ": exit status %d\n", seed,
			WEXITSTATUS(status));
	fprintf(stderr, "again: make sim SEED=%" PRIu64 "\n", seed);
}

static void job_end(unsigned i, int status)
{
	struct job *job = &run.jobs[i];
	const struct schedule_result *result = &run.slots[i].result;
	const bool is_fine = status == 0 && result->is_done;

	job->pid = 0;
	run.running--;
	if (!is_fine) {
		tell_failed(job, status);
	} else if (job->is_second && result->hash != run.hashes[i]) {
		run.failed++;
		fprintf(stderr, "seed %" PRIu64 ": another trace the second time\n",
			seed_of(job->index));
	} else if (!job->is_second && !run.options.is_verbose &&
		   job->index % TWICE_EVERY == 0) {
		run.hashes[i] = result->hash;
		sum_up(result);
		job_start(i, job->index, true);
		return;
	} else if (!job->is_second) {
		sum_up(result);
	}
	run.done++;
}

static void wait_one(void)
{
	int status = 0;
	const pid_t pid = wait(&status);

	for (unsigned i = 0; i < run.options.jobs; i++) {
		if (run.jobs[i].pid == pid && pid > 0)
			job_end(i, status);
	}
}

static void fill(void)
{
	for (unsigned i = 0; i < run.options.jobs; i++) {
		if (run.jobs[i].pid == 0 && run.started < run.options.n &&
		    run.failed < (run.options.is_first ? 1 : FAILURES_MAX))
			job_start(i, run.started++, false);
	}
}

static void tell(void)
{
	const struct history_figures *h = &run.sum.history;

	printf("sim: %u schedules from seed %" PRIu64 ", %u failed\n", run.done,
	       run.options.seed, run.failed);
	printf("sim: %.1f virtual hours, %" PRIu64 " turns, %u faults, %u sessions, %u "
	       "handed over\n",
	       (double)run.sum.virtual_us / 3.6e9, run.sum.turns, run.sum.steps,
	       h->sessions, run.sum.handed_over);
	printf("sim: %u messages: %u accepted, %u refused, %u unknown; %u receipts, %u "
	       "owed\n",
	       h->sent, h->accepted, h->refused, h->open, h->received, h->owed);
}

/* ---- the command line */

static bool number(const char *text, const char *name, uint64_t *value)
{
	const size_t len = strlen(name);
	char *end = NULL;

	if (strncmp(text, name, len) != 0)
		return false;
	*value = strtoull(text + len, &end, 10);
	return *end == '\0' && text[len] != '\0';
}

static bool option(const char *text)
{
	uint64_t value = 0;

	if (number(text, "--seed=", &value))
		run.options.seed = value;
	else if (number(text, "--n=", &value) && value > 0 && value <= SCHEDULES_MAX)
		run.options.n = (unsigned)value;
	else if (number(text, "--jobs=", &value) && value > 0 && value <= JOBS_MAX)
		run.options.jobs = (unsigned)value;
	else if (strcmp(text, "--verbose") == 0)
		run.options.is_verbose = true;
	else if (strcmp(text, "--quiet") == 0)
		run.options.is_quiet = true;
	else if (strcmp(text, "--first") == 0)
		run.options.is_first = true;
	else
		return false;
	return true;
}

/* Keys of some tables are addresses: they must be the same each time. */
static void fix_addresses(char **argv)
{
	const int before = personality(0xffffffff);

	if (before < 0 || (before & ADDR_NO_RANDOMIZE) != 0 ||
	    personality((unsigned long)before | ADDR_NO_RANDOMIZE) < 0)
		return;
	(void)execv("/proc/self/exe", argv); /* goes on as it is when it cannot */
}

int main(int argc, char **argv)
{
	run.options = (struct options){ .seed = 1, .n = 1000, .jobs = 2 };
	for (int i = 1; i < argc; i++) {
		if (option(argv[i]))
			continue;
		fprintf(stderr,
			"sim: %s: expected --seed=N, --n=N, --jobs=N, --verbose, "
			"--quiet, --first\n",
			argv[i]);
		return 2;
	}
	fix_addresses(argv);
	run.slots = mmap(NULL, JOBS_MAX * sizeof(struct slot), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run.slots == MAP_FAILED) {
		perror("sim: mmap");
		return EXIT_FAILURE;
	}
	fill();
	while (run.running > 0) {
		wait_one();
		fill();
	}
	tell();
	return run.failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
