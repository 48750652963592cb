/* How many groups to keep in flight.
 *
 * p stages that take c(b) for b rows, hops of l, g groups that share B sequences, b =
 * B / g rounded up: a round in which each sequence gets a token takes
 *
 *     P(g) = max(g max c(b), sum c(b) + p l)
 *
 * (the first: the slowest stage never waits; the second: a token's way round the ring).
 * All stages work where g max c reaches sum c + p l, for equal stages g >= p (1 + l/c).
 * But busy is not fast: a stage takes a + k b, mostly a, the reading of its weights,
 * and fewer, larger groups read them less often: for g <= p tokens per second are
 * B / (p (a + k B/g) + p l), which hardly grows with g where a is most of it. So of all
 * g those count as equal whose P is within 2 % of the least, which is what measured
 * times are worth, and of them the smallest is taken.
 *
 * P is exact for token-major turns: the makespan of T rounds is (T-1) P + (g-1) max c +
 * sum c + (p-1) l. It is the usual bound of a cyclic schedule (its busiest machine, or
 * its longest cycle; Baccelli, Cohen, Olsder and Quadrat, Synchronization and
 * Linearity, 1992, chapter 2), and a discrete-event simulation agrees with it. */
#ifndef PP_GENERATE_GROUPS_H
#define PP_GENERATE_GROUPS_H

/* What a stage takes for one row and for `rows`, and between them along a line. */
struct pp_stage_time {
    double one, many;
};

/* A round's time for this many groups; the unit is that of times. rows >= 1. */
double pp_round_time(const struct pp_stage_time *stages, int count, double hop,
                     int rows, int sequences, int groups);

/* The number of groups, 1 to sequences, as above. */
int pp_choose_groups(const struct pp_stage_time *stages, int count, double hop,
                     int rows, int sequences);

#endif
