/* Numbers that know how far a computation in float may be off: the value as double
 * finds it, and a bound of the error, carried from operation to operation (running
 * error analysis: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
 * §3.3). A bound so follows from the roundings of a formula and from what the formula
 * cancels, whatever kernel, vector length or order of sums computes it; a fused
 * multiplication and addition rounds once less. Nothing may overflow or become
 * denormal. */
#ifndef PP_TESTS_BOUNDED_H
#define PP_TESTS_BOUNDED_H

#include <float.h>
#include <math.h>

/* No rounding errs by more than this times the result. */
#define UNIT ((double)FLT_EPSILON / 2)

struct bounded {
    double value, error; /* |what float finds - value| <= error */
};

static inline struct bounded exact(float value)
{
    return (struct bounded){(double)value, 0};
}

/* What float makes of value, itself found with an error. */
static inline struct bounded rounded(double value, double error)
{
    return (struct bounded){value, error + UNIT * (fabs(value) + error)};
}

/* A constant of the source. */
static inline struct bounded constant(double value)
{
    return rounded(value, 0);
}

static inline struct bounded plus(struct bounded a, struct bounded b)
{
    return rounded(a.value + b.value, a.error + b.error);
}

static inline struct bounded minus(struct bounded a, struct bounded b)
{
    return rounded(a.value - b.value, a.error + b.error);
}

static inline struct bounded times(struct bounded a, struct bounded b)
{
    return rounded(a.value * b.value, fabs(a.value) * b.error +
                                          fabs(b.value) * a.error + a.error * b.error);
}

/* a / b; b is surely not 0. */
static inline struct bounded over(struct bounded a, struct bounded b)
{
    double quotient = a.value / b.value;
    return rounded(quotient,
                   (a.error + fabs(quotient) * b.error) / (fabs(b.value) - b.error));
}

/* |√a' - √a| = |a' - a| / (√a' + √a) */
static inline struct bounded square_root(struct bounded a)
{
    return rounded(sqrt(a.value), a.error / sqrt(a.value));
}

/* The vector exp is within 4 units in the last place, each up to 2 UNIT. */
static inline struct bounded exponential(struct bounded a)
{
    double value = exp(a.value), error = value * expm1(a.error);
    return (struct bounded){value, error + 8 * UNIT * (value + error)};
}

/* In double, of a float; a is surely positive. */
static inline struct bounded logarithm(struct bounded a)
{
    return (struct bounded){log(a.value), a.error / (a.value - a.error)};
}

/* A sum in any order, in any number of partial sums: no term passes through more
 * additions than there are terms. */
struct sum {
    double value, error, magnitude;
    int terms;
};

static inline void add(struct sum *sum, struct bounded term)
{
    sum->value += term.value;
    sum->error += term.error;
    sum->magnitude += fabs(term.value) + term.error;
    sum->terms++;
}

static inline struct bounded total(struct sum sum)
{
    double roundings = sum.terms * UNIT; /* n UNIT / (1 - n UNIT): Higham, §3.1 */
    return (struct bounded){sum.value,
                            sum.error + roundings / (1 - roundings) * sum.magnitude};
}

/* Another formula for the value; the bound stays that of the one which float takes. */
static inline struct bounded textbook(double value, struct bounded computed)
{
    return (struct bounded){value, computed.error};
}

/* How far found may be off. The value errs too, by 2^-29 of what float may, as double
 * does: much less than what is added here. */
static inline double bound(struct bounded expected)
{
    return expected.error * (1 + 0x1p-20);
}

#endif
