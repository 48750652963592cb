/* The commands, one row each. A command prints its own errors and returns the exit
 * status. It calls no other command: what two of them do stands in a file of its own.
 */
#ifndef PP_CLI_COMMAND_H
#define PP_CLI_COMMAND_H

#include "cli/options.h"

enum { PP_MOST_USAGES = 4, PP_MOST_ACTIONS = 5 };

struct pp_command_row {
    const char *name, *help;
    const char *note; /* what its options have in common; NULL: nothing to say */
    const char *usages[PP_MOST_USAGES + 1];   /* ended by NULL */
    const char *actions[PP_MOST_ACTIONS + 1]; /* words valid as its first argument */
    int most_arguments;                       /* words that are not options */
    bool trains; /* it starts ranks, and each of them comes here again */
    bool anew;   /* without arguments it does the work of run, or that of simulate where
                  * an option of the cost model is given */
    int (*run)(struct pp_options *options);
};

/* In the order of enum pp_command. */
extern const struct pp_command_row pp_commands[PP_COMMANDS];

int pp_command_run(struct pp_options *options);
int pp_command_simulate(struct pp_options *options);
int pp_command_schedules(struct pp_options *options);
int pp_command_explain(struct pp_options *options);
int pp_command_compare(struct pp_options *options);
int pp_command_sweep(struct pp_options *options);
int pp_command_plot(struct pp_options *options);
int pp_command_doctor(struct pp_options *options);
int pp_command_optimize(struct pp_options *options);
int pp_command_recommend(struct pp_options *options);
int pp_command_generate(struct pp_options *options);
int pp_command_serve(struct pp_options *options);

#endif
