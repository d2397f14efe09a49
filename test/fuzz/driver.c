/* driver.c - runs a fuzz target without libFuzzer over a fixed number of inputs from one seed: valid messages and
 * packets, whole and damaged. `fuzz_NAME_fixed [SEED [ROUNDS]]` repeats or prolongs a run; files named by
 * `fuzz_NAME_fixed -f FILE...` are run as they are (a crash that libFuzzer found). */
#include <stdio.h>
#include <stdlib.h>
#include "wire/segment.h"
#include "wire_random.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t input[65536];
static struct trk_request request;
static struct wire_memory memory;

static size_t some_answer(struct dice *d)
{
    static const uint8_t forms[] = { TRK_FORM_OPENED, TRK_FORM_LONG, TRK_FORM_NORMAL, TRK_FORM_TERMINAL };
    struct trk_answer answer;
    random_answer(d, forms[between(d, 0, 3)], &answer, &memory);
    size_t head = trk_answer_emit(&answer, input, sizeof input), data = between(d, 0, 64);
    roll_bytes(d, input + head, data);
    return head + data;
}

static size_t some_segment(struct dice *d)
{
    struct trk_segment s = { .flags = (uint8_t)between(d, 0, 31), .marked = between(d, 0, 3), .mss = (uint16_t)roll(d),
                             .has_wscale = between(d, 0, 1), .sack_ok = between(d, 0, 1), .has_timestamp = between(d, 0, 1) };
    s.flow.src.family = s.flow.dst.family = between(d, 0, 1) ? 4 : 6;
    s.payload_bytes = (uint32_t)between(d, 0, 64);
    size_t head = trk_segment_emit(&s, input, sizeof input);
    roll_bytes(d, input + head, s.payload_bytes);
    return head + s.payload_bytes;
}

static size_t some_input(struct dice *d)
{
    struct trk_open opening = { .has_input = true, .input = memory.input, .input_bytes = (uint16_t)between(d, 0, 40) };
    switch (between(d, 0, 6)) {
    case 0: {
        size_t n = between(d, 0, 200);
        roll_bytes(d, input, n);
        if (n)
            input[0] = (uint8_t)(TRK_VERSION << 4 | (input[0] & 0x0f));
        return n;
    }
    case 1:  return trk_open_emit(&opening, input, between(d, 60, TRK_SYN_PAYLOAD));
    case 2:  return some_answer(d);
    case 3:  return some_segment(d);
    default:
        random_request(d, &request, &memory);
        return trk_request_emit(&request, input, sizeof input);
    }
}

/* Up to four kinds of damage: a byte, a bit, a piece cut out, a piece doubled. */
static size_t damage(struct dice *d, size_t n)
{
    for (uint64_t times = between(d, 0, 4); times > 0 && n > 1; times--) {
        size_t at = between(d, 0, n - 1), length = between(d, 1, n - at < 16 ? n - at : 16);
        switch (between(d, 0, 4)) {
        case 0: input[at] = (uint8_t)roll(d); break;
        case 1: input[at] ^= (uint8_t)(1u << between(d, 0, 7)); break;
        case 2: memmove(input + at, input + at + length, n - at - length); n -= length; break;
        case 3:
            if (n + length > sizeof input)
                break;
            memmove(input + at + length, input + at, n - at);
            n += length;
            break;
        default: n = at; break;
        }
    }
    return n;
}

static void run(const uint8_t *bytes, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);        /* so that a sanitizer sees one byte too many */
    if (!exact)
        abort();
    memcpy(exact, bytes, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

static int run_files(char **names)
{
    for (; *names; names++) {
        FILE *file = fopen(*names, "rb");
        if (!file) {
            perror(*names);
            return 1;
        }
        size_t n = fread(input, 1, sizeof input, file);
        fclose(file);
        run(input, n);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "-f") == 0)
        return run_files(argv + 2);
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1, rounds = argc > 2 ? strtoull(argv[2], NULL, 0) : 100000;
    printf("%s: seed %llu, %llu inputs\n", argv[0], (unsigned long long)seed, (unsigned long long)rounds);
    fflush(stdout);
    struct dice d = { seed };
    for (uint64_t i = 0; i < rounds; i++)
        run(input, damage(&d, some_input(&d)));
    return 0;
}
