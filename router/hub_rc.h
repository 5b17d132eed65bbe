/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of the hub API (router/hub.h): what everything in it ends with.
 */
#ifndef ROUTER_HUB_RC_H
#define ROUTER_HUB_RC_H

struct hub_call;

/*
 * What a method or an await ends with. A method that returns anything but HUB_OK fails
 * its invocation; hub_fail() says why to the client, otherwise it is told of an
 * unexpected error.
 */
enum hub_rc {
	HUB_OK = 0,
	HUB_FAILED = -1,       /* hub_fail() said why */
	HUB_ECANCELED = -2,    /* the client, its end or the router's: return soon */
	HUB_ETIMEDOUT = -3,    /* no answer in time; what was asked may have happened */
	HUB_EUNAVAILABLE = -4, /* the shard or gateway was lost; it may have happened */
	HUB_ENOTFOUND = -5,    /* that connection is gone, there is no such thing */
	HUB_ELIMIT = -6,       /* over a limit; nothing happened */
	HUB_END = -7,	       /* the client's stream has ended */
	HUB_ECONFLICT = -8,    /* it is not as was expected; nothing happened */
};

#endif
