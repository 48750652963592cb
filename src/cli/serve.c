/* ppsim serve: answers over HTTP with a model that is split over ranks. Three kinds of
 * process come here: the parent, which serves (serve/serve.h) and starts this program
 * again with the link's socket in its environment; that child, which starts the ranks
 * and looks after them; and the ranks. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/words.h"
#include "cli/chosen_model.h"
#include "cli/command.h"
#include "cli/environment.h"
#include "cli/paths.h"
#include "cli/terminal.h"
#include "cli/verdicts.h"
#include "run/launch.h"
#include "serve/link_source.h"
#include "serve/serve.h"
#include "version.h"

/* A rank. */

static int open_source(struct pp_link_source *link, struct pp_engine_config *engine,
                       struct pp_chosen_model *model, const struct pp_options *options,
                       struct pp_error *error)
{
    struct pp_tokenizer tokenizer;
    if (pp_chosen_tokenizer(&tokenizer, model, options, error) != 0)
        return -1;
    pp_tokenizer_release(&tokenizer);
    engine->end_token = model->end_token;
    return pp_link_source_init(link, getenv(PP_SERVE_SOCKET), error);
}

/* On every rank, in its world. Returns the exit status. */
static int generate(struct pp_engine_config *engine, struct pp_chosen_model *model,
                    const struct pp_options *options, int rank, struct pp_error *error)
{
    struct pp_link_source link = {.wire = {.fd = -1}};
    struct pp_engine_result result = {0};
    int status = rank == 0 ? open_source(&link, engine, model, options, error) : 0;
    status = pp_world_agree(status, error);
    if (status == 0)
        status = pp_engine_run(engine, &link.source, &result, error);
    pp_engine_result_release(&result);
    if (rank == 0)
        pp_link_source_release(&link);
    return status == 0 ? PP_DONE : (int)error->status;
}

static int configure(struct pp_engine_config *engine,
                     const struct pp_chosen_model *model,
                     const struct pp_options *options, struct pp_error *error)
{
    if (pp_chosen_engine(engine, model, options, error) != 0)
        return -1;
    engine->slots = options->slots;
    engine->clock = PP_CHOOSE_WALL; /* who watches the ranks does so in real time */
    return 0;
}

static int join(const struct pp_options *options)
{
    struct pp_error error = {0};
    struct pp_chosen_model model = {0};
    struct pp_engine_config engine;
    int rank = 0, world = 0, status;
    if (pp_world_enter(PP_VERSION, &rank, &world, &error) == 0) {
        pp_world_watch(options->timeout);
        status = pp_chosen_model_init(&model, options, world, &error);
        if (status == 0)
            status = configure(&engine, &model, options, &error);
        status = pp_world_agree(status, &error);
        status = status == 0 ? generate(&engine, &model, options, rank, &error)
                             : (int)error.status;
        pp_chosen_model_release(&model);
    } else {
        status = (int)error.status;
    }
    if (rank == 0 && error.lines > 0)
        pp_refuse(options, &error);
    return pp_world_leave(status);
}

/* The child that starts the ranks. */
static int launch(const struct pp_options *options)
{
    struct pp_error error = {0};
    struct pp_chosen_model model = {0};
    int status = PP_DONE;
    if (pp_chosen_model_init(&model, options, 0, &error) != 0 ||
        pp_launch(model.ranks, NULL, options->argv, false, options->timeout, &status,
                  &error) != 0)
        status = (int)error.status;
    if (error.lines > 0)
        pp_print_error(&error);
    pp_chosen_model_release(&model);
    return status;
}

/* The parent. */

/* A model is called what its file or folder is, without ".safetensors". */
static void name_model(const char *path, char *name, size_t size)
{
    static const char ending[] = ".safetensors";
    char *whole = realpath(path, NULL);
    const char *base = whole ? strrchr(whole, '/') : NULL;
    pp_assign(name, size, "%s", base && base[1] ? base + 1 : path);
    size_t length = strlen(name);
    if (length >= sizeof ending &&
        strcmp(name + length - sizeof ending + 1, ending) == 0)
        name[length - sizeof ending + 1] = '\0';
    pp_make_printable(name);
    free(whole);
}

/* What starts this program as its child: the same arguments. */
static char **make_command(char *self, size_t size, char **argv, struct pp_error *error)
{
    size_t count = 0;
    ssize_t length = readlink("/proc/self/exe", self, size - 1);
    while (argv[count])
        count++;
    char **command = length > 0 ? calloc(count + 1, sizeof *command) : NULL;
    if (!command) {
        pp_fail(error, PP_ENVIRONMENT, "cannot find this program to start it again");
        return NULL;
    }
    self[length] = '\0';
    memcpy(command, argv, count * sizeof *command);
    command[0] = self;
    return command;
}

static int serve(const struct pp_options *options, const struct pp_tokenizer *tokenizer,
                 int *status, struct pp_error *error)
{
    char self[4096], name[256];
    char **command = make_command(self, sizeof self, options->argv, error);
    if (!command)
        return -1;
    pp_warn_of_groups(options->groups, options->slots);
    name_model(options->load, name, sizeof name);
    const struct pp_serve_config config = {
        .host = options->host,
        .port = options->port,
        .key_file = options->api_key_file,
        .slots = options->slots,
        .queue = options->queue,
        .model = name,
        .turns = (enum pp_turns)options->turns,
        .tokenizer = tokenizer,
        .command = command,
    };
    int served = pp_serve(&config, status, error);
    free(command);
    return served;
}

static int check_turns(const struct pp_options *options,
                       const struct pp_tokenizer *tokenizer, struct pp_error *error)
{
    if (tokenizer->end >= 0 ||
        (options->turns != PP_TURNS_JOINED && options->turns != PP_TURNS_ENDED))
        return 0;
    return pp_fail(error, PP_BAD_INPUT,
                   "the tokenizer has no end token: '--turns' can be plain alone");
}

static int be_parent(const struct pp_options *options)
{
    struct pp_error error = {0};
    struct pp_chosen_model model = {0};
    struct pp_engine_config engine;
    struct pp_tokenizer tokenizer = {0};
    int status = PP_DONE;
    if (pp_launched_by_user())
        pp_fail(&error, PP_BAD_INPUT,
                "'ppsim serve' starts ranks itself: leave mpirun out");
    else if (pp_output_paths_check(options, &error) == 0 &&
             pp_chosen_model_init(&model, options, 0, &error) == 0 &&
             configure(&engine, &model, options, &error) == 0 &&
             pp_chosen_tokenizer(&tokenizer, &model, options, &error) == 0 &&
             check_turns(options, &tokenizer, &error) == 0)
        serve(options, &tokenizer, &status, &error);
    if (error.lines > 0)
        status = pp_print_error(&error);
    pp_tokenizer_release(&tokenizer);
    pp_chosen_model_release(&model);
    return status;
}

int pp_command_serve(struct pp_options *options)
{
    if (!getenv(PP_SERVE_SOCKET))
        return be_parent(options);
    return pp_launched() ? join(options) : launch(options);
}
