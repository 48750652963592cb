/* What a check has found, and what to do about it. */
#ifndef PP_DOCTOR_FINDING_H
#define PP_DOCTOR_FINDING_H

enum pp_health {
    PP_FINE,
    PP_DOUBTFUL, /* works, but less well, or not everything */
    PP_WRONG     /* a run fails */
};

struct pp_finding {
    char check[80]; /* what was looked at: "ranks", "host node2" */
    enum pp_health health;
    char found[400];
    char advice[400]; /* "" where all is fine */
};

/* What was found, and where it is not fine, what to do. */
__attribute__((format(printf, 3, 4))) void
pp_find(struct pp_finding *finding, enum pp_health health, const char *format, ...);
__attribute__((format(printf, 2, 3))) void pp_advise(struct pp_finding *finding,
                                                     const char *format, ...);

/* "ok", "warning", "wrong". */
const char *pp_health_name(enum pp_health health);

#endif
