/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client listener's certificate: which files, when they are read, and who is told
 * what about them.
 */
#ifndef GATEWAY_CERTIFICATE_H
#define GATEWAY_CERTIFICATE_H

#include <stdbool.h>

#include "proto/base/tls.h"

struct gateway;

/* At start-up; ends the program when the files will not do. One reference; NULL: none is
 * configured. */
struct tls *certificate_load(struct gateway *gateway);

/* Reads the files again, for connections from now on; the old one stays when they will
 * not do: false. */
bool certificate_reload(struct gateway *gateway);

#endif
