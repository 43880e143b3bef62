#include "base/time.h"

#include <stdbool.h>

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar (H. Hinnant,
 * "chrono-compatible date algorithms"). */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year =
        (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    *day = (unsigned)(day_of_year - (153 * shifted_month + 2) / 5 + 1);
    *month = (unsigned)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

/* Exactly n digits and what stands behind them. Returns where that ends. */
static char *put_digits(char *at, uint64_t value, int n, char behind)
{
    for (int i = n; i-- > 0; value /= 10)
        at[i] = (char)('0' + value % 10);
    at[n] = behind;
    return at + n + 1;
}

size_t sw_time_format(int64_t time_ns, int digits, char out[SW_TIME_TEXT_BYTES])
{
    int64_t seconds = time_ns / SW_NS_PER_S;
    int64_t fraction = time_ns % SW_NS_PER_S;
    if (fraction < 0) {
        fraction += SW_NS_PER_S;
        seconds--;
    }
    int64_t days = seconds / 86400;
    int64_t of_day = seconds % 86400;
    if (of_day < 0) {
        of_day += 86400;
        days--;
    }
    int64_t year;
    unsigned month;
    unsigned day;
    date_from_days(days, &year, &month, &day);
    char *at = put_digits(out, (uint64_t)year, 4, '-'); /* 64-bit nanoseconds: 1677 to 2262 */
    at = put_digits(at, month, 2, '-');
    at = put_digits(at, day, 2, 'T');
    at = put_digits(at, (uint64_t)of_day / 3600, 2, ':');
    at = put_digits(at, (uint64_t)of_day / 60 % 60, 2, ':');
    at = put_digits(at, (uint64_t)of_day % 60, 2, '.');
    if (digits > 0)
        at = put_digits(at, (uint64_t)fraction, 9, '\0') - 1 - (9 - digits);
    else
        at--;
    *at++ = 'Z';
    *at = '\0';
    return (size_t)(at - out);
}

/* Reads exactly n digits and moves on. */
static bool read_digits(const char **at, int n, int64_t *value)
{
    *value = 0;
    for (int i = 0; i < n; i++) {
        char c = **at;
        if (c < '0' || c > '9')
            return false;
        *value = *value * 10 + (c - '0');
        (*at)++;
    }
    return true;
}

static bool read_char(const char **at, char wanted)
{
    if (**at != wanted)
        return false;
    (*at)++;
    return true;
}

static bool read_clock(const char **at, int64_t *ns)
{
    int64_t hour;
    int64_t minute;
    int64_t second = 0;
    if (!read_digits(at, 2, &hour) || !read_char(at, ':') || !read_digits(at, 2, &minute))
        return false;
    if (read_char(at, ':') && !read_digits(at, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60)
        return false;
    *ns = (hour * 3600 + minute * 60 + second) * SW_NS_PER_S;
    if (read_char(at, '.')) {
        int64_t scale = SW_NS_PER_S / 10;
        if (**at < '0' || **at > '9')
            return false;
        for (; **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
            *ns += (**at - '0') * scale;
    }
    return true;
}

static bool read_zone(const char **at, int64_t *offset_ns)
{
    *offset_ns = 0;
    if (**at == '\0' || read_char(at, 'Z') || read_char(at, 'z'))
        return true;
    int64_t sign = **at == '-' ? -1 : 1;
    if (**at != '+' && **at != '-')
        return false;
    (*at)++;
    int64_t hours;
    int64_t minutes = 0;
    if (!read_digits(at, 2, &hours))
        return false;
    (void)read_char(at, ':');
    if (**at != '\0' && !read_digits(at, 2, &minutes))
        return false;
    *offset_ns = sign * (hours * 3600 + minutes * 60) * SW_NS_PER_S;
    return true;
}

static int64_t days_of_month(int64_t year, unsigned month)
{
    if (month == 12)
        return 31;
    return days_from_date(year, month + 1, 1) - days_from_date(year, month, 1);
}

int sw_time_parse(const char *text, int64_t *time_ns)
{
    const char *at = text;
    int64_t year;
    int64_t month;
    int64_t day;
    int64_t clock_ns = 0;
    int64_t offset_ns = 0;
    if (!read_digits(&at, 4, &year) || !read_char(&at, '-') || !read_digits(&at, 2, &month) ||
        !read_char(&at, '-') || !read_digits(&at, 2, &day))
        return -1;
    if (month < 1 || month > 12 || year < 1678 || year > 2261)
        return -1; /* the years that 64-bit nanoseconds hold */
    if (day < 1 || day > days_of_month(year, (unsigned)month))
        return -1;
    if (*at != '\0') {
        if (!read_char(&at, 'T') && !read_char(&at, 't') && !read_char(&at, ' '))
            return -1;
        if (!read_clock(&at, &clock_ns) || !read_zone(&at, &offset_ns) || *at != '\0')
            return -1;
    }
    *time_ns = days_from_date(year, (unsigned)month, (unsigned)day) * 86400 * SW_NS_PER_S +
               clock_ns - offset_ns;
    return 0;
}
