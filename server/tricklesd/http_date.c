/* http_date.c - see http_date.h. strptime and strftime are safe here: the program never leaves the C locale. */
#include "http_date.h"

#include <string.h>
#include <time.h>

void http_date_format(int64_t seconds, char out[HTTP_DATE_BYTES])
{
    const int64_t least = -62167219200, most = 253402300799;    /* the years 0 and 9999 */
    time_t t = (time_t)(seconds < least ? least : seconds > most ? most : seconds);
    struct tm tm;
    gmtime_r(&t, &tm);
    if (strftime(out, HTTP_DATE_BYTES, "%a, %d %b %Y %H:%M:%S GMT", &tm) == 0)
        out[0] = '\0';
}

bool http_date_parse(const char *text, int64_t *seconds)
{
    static const char *const forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT",   /* RFC 5322, fixed length */
        "%a, %d-%b-%y %H:%M:%S GMT",   /* RFC 850 */
        "%a %b %d %H:%M:%S %Y",        /* asctime */
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm tm = { 0 };
        const char *rest = strptime(text, forms[i], &tm);
        if (rest && *rest == '\0') {
            *seconds = timegm(&tm);
            return true;
        }
    }
    return false;
}
