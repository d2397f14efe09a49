/* Numbers, TCP sequence numbers, and values of which only the low bits travel. */
#include "wire/messages.h"

enum trk_verdict trk_form_of(const uint8_t *p, size_t n, uint8_t *form)
{
    if (n == 0)
        return TRK_V_SHORT;
    if (p[0] >> 4 != TRK_VERSION)
        return TRK_V_BAD_VERSION;
    *form = p[0] & 0x0f;
    return TRK_V_ACCEPTED;
}

bool trk_number_of_seq(uint32_t isn, uint32_t seq, uint16_t slot, uint64_t near, uint64_t *n)
{
    if (slot == 0)
        return false;
    int64_t distance = (int32_t)(seq - trk_seq_of(isn, near, slot));
    if (distance % slot != 0)
        return false;
    int64_t numbers = distance / slot;
    if (numbers < 0 && (uint64_t)-numbers >= near)   /* numbers begin at 1 */
        return false;
    uint64_t found = near + (uint64_t)numbers;
    if (found == 0 || found > TRK_NUMBER_MAX)
        return false;
    *n = found;
    return true;
}

uint64_t trk_extend(uint64_t near, uint64_t low, unsigned bits)
{
    if (bits >= 64)
        return low;
    uint64_t span = 1ull << bits, mask = span - 1;
    uint64_t same = (near & ~mask) | (low & mask);   /* the candidate in near's own block */
    uint64_t half = span / 2;
    if (same <= near && near - same >= half && same <= UINT64_MAX - span)
        return same + span;                          /* a tie goes upward */
    if (same > near && same - near > half && same >= span)
        return same - span;
    return same;
}
