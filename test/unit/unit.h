/* unit.h - what every unit test program shares: one suite, one main. */
#ifndef TRK_TEST_UNIT_H
#define TRK_TEST_UNIT_H

#include <check.h>
#include <stdlib.h>

/* Check writes the place of every assertion that holds to a file, to tell the last one before a crash. Where a million bytes are
 * compared one by one that takes ten times as long as what is tested; the test's name has to do. */
#define _mark_point(file, line) ((void)0)

/* UNIT_MAIN("name", test_a, test_b, ...): the program runs these START_TEST functions. */
#define UNIT_MAIN(name, ...)                                             \
    int main(void)                                                       \
    {                                                                    \
        const TTest *tests[] = { __VA_ARGS__ };                          \
        Suite *suite = suite_create(name);                               \
        TCase *tcase = tcase_create(name);                               \
        tcase_set_timeout(tcase, 240);                                   \
        for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)        \
            tcase_add_test(tcase, tests[i]);                             \
        suite_add_tcase(suite, tcase);                                   \
        SRunner *runner = srunner_create(suite);                         \
        srunner_run_all(runner, CK_ENV);                                 \
        int failed = srunner_ntests_failed(runner);                      \
        srunner_free(runner);                                            \
        return failed ? EXIT_FAILURE : EXIT_SUCCESS;                     \
    }

#endif
