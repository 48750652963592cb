/* What failing-allocation.c offers to a program before which it is loaded. */
#ifndef TESTS_FAILING_ALLOCATION_H
#define TESTS_FAILING_ALLOCATION_H

#include <stdbool.h>

/* From here on the n-th allocation of the program's own code fails; 0: none. */
void failing_allocation_begin(long n);

/* Until here. Returns whether there was an n-th one; *not_freed counts those that are
 * not freed. */
bool failing_allocation_end(int *not_freed);

#endif
