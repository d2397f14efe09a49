/* spec.c - the conditions of one direction, from text. */
#include "path.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char spec_help[] =
    "A SPEC is a list of KEY=VALUE, separated by commas:\n"
    "  delay=MS         one way, in milliseconds (decimals allowed)\n"
    "  jitter=MS        the delay varies by so much, uniformly, and keeps the order\n"
    "  rate=MBIT        bottleneck in Mbit/s, counting whole Ethernet frames\n"
    "  queue=N          packets that may wait for it (default 1000); with k or m behind it, bytes\n"
    "  early=PERCENT    drop at random from this filling of the queue on, always at 100\n"
    "  loss=PERCENT     frames lost behind the bottleneck\n"
    "  burst=N          losses come in runs of mean length N (Gilbert model)\n"
    "  reorder=PERCENT[:MS]  frames held back by so much more (default 5 ms)\n"
    "  duplicate=PERCENT\n"
    "  corrupt=PERCENT  one bit of the IP packet flipped, checksums left as they were\n";

void spec_default(struct spec *spec)
{
    *spec = (struct spec){ .queue_packets = 1000, .early = 1, .burst = 1, .reorder_ns = 5000000 };
}

/* A number with one of the allowed endings ("" is always allowed). */
static bool number(const char *text, const char *ending, double low, double high, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return end != text && (*end == 0 || strcmp(end, ending) == 0) && *out >= low && *out <= high;
}

static bool percent(const char *text, double *share)
{
    double value;
    bool ok = number(text, "%", 0, 100, &value);
    *share = value / 100;
    return ok;
}

static bool milliseconds(const char *text, uint64_t *ns)
{
    double value;
    bool ok = number(text, "ms", 0, 60000, &value);
    *ns = ok ? (uint64_t)(value * 1e6) : 0;
    return ok;
}

static bool parse_queue(struct spec *spec, const char *text)
{
    double value;
    size_t n = strlen(text);
    double unit = n && text[n - 1] == 'k' ? 1e3 : n && text[n - 1] == 'm' ? 1e6 : 1;
    if (!number(text, unit == 1e3 ? "k" : "m", 1, 1e9, &value))
        return false;
    spec->queue_packets = unit == 1 ? (uint64_t)value : 0;
    spec->queue_bytes = unit == 1 ? 0 : (uint64_t)(value * unit);
    return true;
}

static bool parse_reorder(struct spec *spec, char *text)
{
    char *colon = strchr(text, ':');
    if (colon)
        *colon = 0;
    return percent(text, &spec->reorder) && (!colon || milliseconds(colon + 1, &spec->reorder_ns));
}

static bool parse_one(struct spec *spec, const char *key, char *value)
{
    if (strcmp(key, "delay") == 0)     return milliseconds(value, &spec->delay_ns);
    if (strcmp(key, "jitter") == 0)    return milliseconds(value, &spec->jitter_ns);
    if (strcmp(key, "queue") == 0)     return parse_queue(spec, value);
    if (strcmp(key, "early") == 0)     return percent(value, &spec->early);
    if (strcmp(key, "loss") == 0)      return percent(value, &spec->loss);
    if (strcmp(key, "burst") == 0)     return number(value, "", 1, 1e6, &spec->burst);
    if (strcmp(key, "reorder") == 0)   return parse_reorder(spec, value);
    if (strcmp(key, "duplicate") == 0) return percent(value, &spec->duplicate);
    if (strcmp(key, "corrupt") == 0)   return percent(value, &spec->corrupt);
    if (strcmp(key, "rate") == 0) {
        bool ok = number(value, "mbit", 0, 1e6, &spec->rate_bps);
        spec->rate_bps *= 1e6;
        return ok;
    }
    return false;
}

bool spec_parse(struct spec *spec, const char *text, char *error, size_t error_bytes)
{
    char copy[512], *rest = copy;
    if (strlen(text) >= sizeof copy) {
        snprintf(error, error_bytes, "the list of conditions is too long");
        return false;
    }
    strcpy(copy, text);
    for (char *item; (item = strsep(&rest, ",")); ) {
        char shown[64], *value = strchr(item, '=');
        snprintf(shown, sizeof shown, "%s", item);
        if (*item == 0)
            continue;
        if (value)
            *value++ = 0;
        if (!value || !parse_one(spec, item, value)) {
            snprintf(error, error_bytes, "'%s' is no condition I know, or its value is out of bounds; see --help", shown);
            return false;
        }
    }
    return true;
}
