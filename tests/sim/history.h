/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What clients sent, were told and received, and the rules that it must keep
 * (docs/RELIABILITY.md). All is as clients see it, but for `ran`, which the hub tells:
 * how often a method ran for a message.
 *
 * A session is one SignalR connection, from its handshake to its end; a stateful one may
 * have many sockets.
 */
#ifndef TESTS_SIM_HISTORY_H
#define TESTS_SIM_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HISTORY_GROUPS 8u
#define HISTORY_USERS 6u

enum history_kind { TO_GROUP, TO_USER, TO_ALL, TO_CALLER, TO_KINDS };

enum history_outcome { OUTCOME_NONE, OUTCOME_OK, OUTCOME_ERROR };

struct history_target {
	enum history_kind kind;
	unsigned index; /* of the group or user */
};

/* ---- sessions: numbers from 0 */

unsigned history_opened(unsigned client, unsigned user, bool is_stateful);
void history_ended(unsigned session);
bool history_is_alive(unsigned session);

/* ---- groups */

void history_joins(unsigned session, unsigned group);
void history_leaves(unsigned session, unsigned group);

/* The answer to the last of either. */
void history_changed(unsigned session, unsigned group, enum history_outcome outcome);

/* ---- messages: numbers from 0. `is_probe`: all is well again, and everybody whom it is
 * for must get it */

unsigned history_sends(unsigned session, struct history_target target, bool is_probe);
void history_completed(unsigned message, enum history_outcome outcome);
void history_ran(unsigned message);
void history_received(unsigned session, unsigned message);

/* ---- the end: fails when a rule is broken */

void history_check(void);

struct history_figures {
	unsigned sessions;
	unsigned sent;
	unsigned accepted;
	unsigned refused; /* completed with an error */
	unsigned open;	  /* no answer: the session ended */
	unsigned received;
	unsigned owed; /* receipts that had to be there */
};

struct history_figures history_figures(void);

#endif
