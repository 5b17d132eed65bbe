/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one version of all programs. The Makefile passes it in from the file that holds it;
 * a build by hand says so in its version.
 */
#ifndef PROTO_BASE_VERSION_H
#define PROTO_BASE_VERSION_H

#ifndef HELIOGRAPH_VERSION
#define HELIOGRAPH_VERSION "0.0.0-dev"
#endif

#endif
