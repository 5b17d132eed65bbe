/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers for people: three digits that count, and a unit. Pure.
 */
#ifndef BENCH_UNITS_H
#define BENCH_UNITS_H

#define UNITS_TEXT_MAX 24

/* 1234567 is "1.23M", 1250 microseconds "1.25 ms", 5000 bytes "4.88 KiB". Return `out`.
 */
const char *units_number(char out[UNITS_TEXT_MAX], double value);
const char *units_time(char out[UNITS_TEXT_MAX], double us);
const char *units_bytes(char out[UNITS_TEXT_MAX], double bytes);

/* By the unit that the end of a figure's name says: _us, _s, _bytes. */
const char *units_figure(char out[UNITS_TEXT_MAX], const char *name, double value);

#endif
