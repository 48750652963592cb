/* Counter-based random numbers: a value depends on (seed, stream, counter) alone, so
 * that whoever needs it computes it, in any order. SplitMix64's finaliser (Steele, Lea
 * & Flood, OOPSLA 2014, fig. 16) over a mixed key. */
#ifndef PP_BASE_RANDOM_H
#define PP_BASE_RANDOM_H

#include <math.h>
#include <stdint.h>

static inline uint64_t pp_mix(uint64_t z)
{
    z += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline uint64_t pp_random(uint64_t seed, uint64_t stream, uint64_t counter)
{
    return pp_mix(pp_mix(pp_mix(seed) ^ stream) ^ counter);
}

/* Uniform in (0, 1), both ends left out: its logarithm is finite and not 0. */
static inline double pp_uniform(uint64_t bits)
{
    return ((double)(bits >> 12) + 0.5) * 0x1p-52;
}

/* Two independent normal deviates of mean 0 and deviation 1 as a point of the plane:
 * radius * cos(angle) and radius * sin(angle). Box & Muller, "A note on the generation
 * of random normal deviates", Annals of Mathematical Statistics 29 (1958). */
struct pp_normals {
    double radius, angle;
};

static inline struct pp_normals pp_normals(uint64_t bits, uint64_t others)
{
    const double tau = 6.28318530717958647693;
    return (struct pp_normals){sqrt(-2 * log(pp_uniform(bits))),
                               tau * pp_uniform(others)};
}

/* Uniform in 0 .. bound-1, by the high half of a product (Lemire, arXiv 1805.10941,
 * without rejection: a bias below 2^-32 for bounds below 2^32). */
static inline uint64_t pp_below(uint64_t bits, uint64_t bound)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)(((wide)bits * bound) >> 64);
}

#endif
