#include "doctor/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/output.h"
#include "base/words.h"
#include "doctor/check.h"
#include "report/export/json.h"

/* In this order: later ones may use what the first has found. */
static const struct {
    const char *name;
    void (*look)(struct pp_patient *patient, struct pp_finding *finding);
} checks[] = {
    {"ranks", pp_check_ranks},
    {"binding", pp_check_binding},
    {"cores", pp_check_cores},
    {"memory", pp_check_memory},
    {"shared memory", pp_check_shared_memory},
    {"temporary folder", pp_check_temporary},
    {"open files", pp_check_files},
    {"locked memory", pp_check_locked_memory},
    {"BLAS", pp_check_blas},
    {"clock", pp_check_clock},
    {"CPU time", pp_check_cpu_time},
    {"gnuplot", pp_check_gnuplot},
};
enum { CHECKS = sizeof checks / sizeof checks[0] };

/* Keeps the finding where there is one. */
static void keep(struct pp_diagnosis *diagnosis, const struct pp_finding *finding)
{
    if (finding->found[0])
        diagnosis->findings[diagnosis->count++] = *finding;
}

static void look(struct pp_patient *patient, struct pp_diagnosis *diagnosis)
{
    for (int i = 0; i < CHECKS; i++) {
        struct pp_finding finding = {.health = PP_FINE};
        pp_assign(finding.check, sizeof finding.check, "%s", checks[i].name);
        checks[i].look(patient, &finding);
        keep(diagnosis, &finding);
    }
    for (int i = 0; i < patient->hosts.count; i++) {
        const char *host = patient->hosts.names[i];
        struct pp_finding finding = {.health = PP_FINE};
        pp_assign(finding.check, sizeof finding.check, "host %s", host);
        pp_make_printable(finding.check);
        pp_check_host(patient, host, &finding);
        keep(diagnosis, &finding);
    }
    if (patient->hosts.count > 0) {
        struct pp_finding finding = {.check = "all hosts"};
        pp_check_all_hosts(patient, &finding);
        keep(diagnosis, &finding);
    }
}

int pp_diagnose(const struct pp_question *question, struct pp_diagnosis *diagnosis,
                struct pp_error *error)
{
    struct pp_patient patient = {.version = question->version};
    *diagnosis = (struct pp_diagnosis){0};
    if (question->hosts && pp_hosts_read(&patient.hosts, question->hosts, error) != 0)
        return -1;
    ssize_t length =
        readlink("/proc/self/exe", patient.program, sizeof patient.program - 1);
    diagnosis->findings =
        calloc((size_t)(CHECKS + patient.hosts.count + 1), sizeof *diagnosis->findings);
    if (length < 0 || !diagnosis->findings) {
        pp_hosts_release(&patient.hosts);
        return pp_fail(error, PP_ENVIRONMENT, "cannot look at this machine: %s",
                       strerror(errno));
    }
    /* Where there is no folder, that is a finding. */
    if (pp_folder_init(&patient.folder, "doctor", &patient.no_folder) != 0)
        patient.folder.path = NULL;
    look(&patient, diagnosis);
    pp_folder_release(&patient.folder);
    pp_report_release(&patient.report);
    pp_hosts_release(&patient.hosts);
    return 0;
}

void pp_diagnosis_release(struct pp_diagnosis *diagnosis)
{
    free(diagnosis->findings);
    *diagnosis = (struct pp_diagnosis){0};
}

int pp_diagnosis_count(const struct pp_diagnosis *diagnosis, enum pp_health health)
{
    int count = 0;
    for (int i = 0; i < diagnosis->count; i++)
        count += diagnosis->findings[i].health == health;
    return count;
}

int pp_diagnosis_write_json(const struct pp_diagnosis *diagnosis, const char *version,
                            const char *path, struct pp_error *error)
{
    struct pp_output output;
    json_t *list = json_array();
    for (int i = 0; i < diagnosis->count; i++) {
        const struct pp_finding *row = &diagnosis->findings[i];
        json_array_append_new(
            list, json_pack("{s:o, s:s, s:o, s:o}", "check", pp_json_text(row->check),
                            "health", pp_health_name(row->health), "found",
                            pp_json_text(row->found), "advice",
                            pp_json_text(row->advice[0] ? row->advice : NULL)));
    }
    json_t *root = json_pack("{s:s, s:s, s:o}", "schema", "ppsim.doctor/1", "version",
                             version, "checks", list);
    int status = pp_output_open(&output, path, error);
    if (status == 0 && json_dumpf(root, output.stream, JSON_INDENT(1)) != 0) {
        pp_output_abandon(&output);
        status = pp_fail(error, PP_ENVIRONMENT, "cannot write '%s'", path);
    } else if (status == 0) {
        fputc('\n', output.stream);
        status = pp_output_commit(&output, error);
    }
    json_decref(root);
    return status;
}
