#include "wire/verdict.h"

#include <stddef.h>

static const char *const names[TRK_V_COUNT] = {
#define X(name, text, why) [TRK_V_##name] = text,
    TRK_VERDICTS(X)
#undef X
};

static const char *const reasons[TRK_V_COUNT] = {
#define X(name, text, why) [TRK_V_##name] = why,
    TRK_VERDICTS(X)
#undef X
};

const char *trk_verdict_name(enum trk_verdict v)
{
    return (size_t)v < TRK_V_COUNT ? names[v] : "?";
}

const char *trk_verdict_why(enum trk_verdict v)
{
    return (size_t)v < TRK_V_COUNT ? reasons[v] : "?";
}
