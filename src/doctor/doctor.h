/* What is wrong with this machine, as far as ppsim needs it, and what to do. Each check
 * is a row of a table (doctor.c); it really does what a run would do, where it can. */
#ifndef PP_DOCTOR_DOCTOR_H
#define PP_DOCTOR_DOCTOR_H

#include "base/error.h"
#include "doctor/finding.h"

/* What is asked. Texts are borrowed. */
struct pp_question {
    const char *version; /* of this program */
    const char *hosts;   /* a file of hosts to look at too (run/hosts.h); NULL: none */
};

struct pp_diagnosis {
    struct pp_finding *findings; /* [count] owned */
    int count;
};

/* Looks; takes seconds, for it starts ranks. Only what keeps it from looking is an
 * error: PP_BAD_INPUT for the file of hosts, PP_ENVIRONMENT. */
int pp_diagnose(const struct pp_question *question, struct pp_diagnosis *diagnosis,
                struct pp_error *error);
void pp_diagnosis_release(struct pp_diagnosis *diagnosis);

/* How many findings are of this health. */
int pp_diagnosis_count(const struct pp_diagnosis *diagnosis, enum pp_health health);

/* Schema ppsim.doctor/1. Written whole or not at all; "-" is stdout. */
int pp_diagnosis_write_json(const struct pp_diagnosis *diagnosis, const char *version,
                            const char *path, struct pp_error *error);

#endif
