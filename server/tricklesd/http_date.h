/* http_date.h - dates of HTTP (RFC 9110 section 5.6.7). Pure: the time is an argument. */
#ifndef TRICKLESD_HTTP_DATE_H
#define TRICKLESD_HTTP_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_DATE_BYTES 30             /* with the final NUL */

/* "Sun, 06 Nov 1994 08:49:37 GMT". seconds since 1970; years 0 to 9999, others print as the nearest of them. */
void http_date_format(int64_t seconds, char out[HTTP_DATE_BYTES]);
/* Any of the three forms that a recipient must know. False if text is none of them. */
bool http_date_parse(const char *text, int64_t *seconds);

#endif
