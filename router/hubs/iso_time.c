/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Days are counted from 1 March of the year 0, so that a leap day is the last of its
 * year.
 */
#include "router/hubs/iso_time.h"

#include <assert.h>

#define DAY_S INT64_C(86400)
#define EPOCH_DAY INT64_C(719468) /* 1970-01-01 */
#define ERA_DAYS INT64_C(146097)  /* 400 years */
#define YEAR_MIN 1
#define YEAR_MAX 9999
#define FRACTION_DIGITS_MAX 9

/* ---- days */

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static int64_t month_days(int64_t year, int64_t month)
{
	static const int64_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

static int64_t day_of(int64_t year, int64_t month, int64_t day)
{
	const int64_t y = month > 2 ? year : year - 1;
	const int64_t m = (month + 9) % 12; /* since March */

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 -
	       EPOCH_DAY;
}

/* ---- reading */

/* Takes `n` digits off the text. */
static bool take_digits(struct slice *text, size_t n, int64_t *number)
{
	*number = 0;
	if (text->len < n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (text->ptr[i] < '0' || text->ptr[i] > '9')
			return false;
		*number = *number * 10 + (text->ptr[i] - '0');
	}
	*text = slice_from(*text, n);
	return true;
}

static bool take_byte(struct slice *text, char byte)
{
	if (text->len == 0 || text->ptr[0] != byte)
		return false;
	*text = slice_from(*text, 1);
	return true;
}

/* None is 0. False: a point without digits, or too many. */
static bool take_fraction(struct slice *text, int64_t *ms)
{
	int64_t unit = 100;
	int64_t digit;
	size_t n = 0;

	*ms = 0;
	if (!take_byte(text, '.'))
		return true;
	for (; take_digits(text, 1, &digit); n++) {
		*ms += digit * unit;
		unit /= 10;
	}
	return n >= 1 && n <= FRACTION_DIGITS_MAX;
}

static bool take_offset(struct slice *text, int64_t *seconds)
{
	int64_t sign = 1;
	int64_t hours;
	int64_t minutes;

	*seconds = 0;
	if (take_byte(text, 'Z'))
		return true;
	if (take_byte(text, '-'))
		sign = -1;
	else if (!take_byte(text, '+'))
		return false;
	if (!take_digits(text, 2, &hours) || !take_byte(text, ':') ||
	    !take_digits(text, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*seconds = sign * (hours * 3600 + minutes * 60);
	return true;
}

static bool take_date(struct slice *text, int64_t *days)
{
	int64_t year;
	int64_t month;
	int64_t day;

	if (!take_digits(text, 4, &year) || !take_byte(text, '-') ||
	    !take_digits(text, 2, &month) || !take_byte(text, '-') ||
	    !take_digits(text, 2, &day))
		return false;
	if (year < YEAR_MIN || month < 1 || month > 12 || day < 1 ||
	    day > month_days(year, month))
		return false;
	*days = day_of(year, month, day);
	return true;
}

static bool take_clock(struct slice *text, int64_t *seconds)
{
	int64_t hour;
	int64_t minute;
	int64_t second;

	if (!take_digits(text, 2, &hour) || !take_byte(text, ':') ||
	    !take_digits(text, 2, &minute) || !take_byte(text, ':') ||
	    !take_digits(text, 2, &second))
		return false;
	*seconds = hour * 3600 + minute * 60 + second;
	return hour <= 23 && minute <= 59 && second <= 59;
}

bool iso_time_read(struct slice text, int64_t *unix_ms)
{
	const int64_t first = day_of(YEAR_MIN, 1, 1) * DAY_S * 1000;
	const int64_t end = (day_of(YEAR_MAX, 12, 31) + 1) * DAY_S * 1000;
	int64_t days;
	int64_t seconds;
	int64_t ms;
	int64_t offset;

	if (!take_date(&text, &days) || !take_byte(&text, 'T') ||
	    !take_clock(&text, &seconds) || !take_fraction(&text, &ms) ||
	    !take_offset(&text, &offset) || text.len > 0)
		return false;
	*unix_ms = (days * DAY_S + seconds - offset) * 1000 + ms;
	return *unix_ms >= first && *unix_ms < end;
}

/* ---- writing */

/* So many digits, and what stands behind them. */
static char *put_digits(char *at, size_t n, int64_t number, char end)
{
	for (size_t i = n; i > 0; i--) {
		at[i - 1] = (char)('0' + number % 10);
		number /= 10;
	}
	at[n] = end;
	return at + n + 1;
}

static char *put_date(char *at, int64_t days)
{
	const int64_t era_day = days % ERA_DAYS;
	const int64_t era_year =
		(era_day - era_day / 1460 + era_day / 36524 - era_day / (ERA_DAYS - 1)) /
		365;
	const int64_t year_day =
		era_day - (365 * era_year + era_year / 4 - era_year / 100);
	const int64_t m = (5 * year_day + 2) / 153; /* since March */
	const int64_t month = m < 10 ? m + 3 : m - 9;
	const int64_t year = days / ERA_DAYS * 400 + era_year + (month <= 2 ? 1 : 0);

	assert(days >= 0 && year >= YEAR_MIN && year <= YEAR_MAX);
	at = put_digits(at, 4, year, '-');
	at = put_digits(at, 2, month, '-');
	return put_digits(at, 2, year_day - (153 * m + 2) / 5 + 1, 'T');
}

void iso_time_write(int64_t unix_ms, char out[ISO_TIME_BYTES])
{
	const int64_t day_ms = DAY_S * 1000;
	const int64_t ms = (unix_ms % day_ms + day_ms) % day_ms; /* of the day */
	char *at = put_date(out, (unix_ms - ms) / day_ms + EPOCH_DAY);

	at = put_digits(at, 2, ms / 3600000, ':');
	at = put_digits(at, 2, ms / 60000 % 60, ':');
	at = put_digits(at, 2, ms / 1000 % 60, '.');
	at = put_digits(at, 3, ms % 1000, 'Z');
	*at = '\0';
	assert(at == out + ISO_TIME_BYTES - 1);
}
