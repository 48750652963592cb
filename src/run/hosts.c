#include "run/hosts.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_known(const struct pp_hosts *hosts, const char *name)
{
    for (int i = 0; i < hosts->count; i++) {
        if (strcmp(hosts->names[i], name) == 0)
            return true;
    }
    return false;
}

/* Returns -1 when out of memory. */
static int add(struct pp_hosts *hosts, const char *name)
{
    size_t count = (size_t)hosts->count + 1;
    char **names = realloc(hosts->names, count * sizeof *names);
    if (!names)
        return -1;
    hosts->names = names;
    names[hosts->count] = strdup(name);
    if (!names[hosts->count])
        return -1;
    hosts->count++;
    return 0;
}

/* Takes the host of a line, if it has one. ssh would take a name that begins with '-'
 * for an option, and some of those run programs. */
static int read_line(struct pp_hosts *hosts, char *line, const char *path,
                     struct pp_error *error)
{
    line[strcspn(line, "#\n")] = '\0';
    char *rest, *name = strtok_r(line, " \t\r", &rest);
    if (!name || is_known(hosts, name))
        return 0;
    if (name[0] == '-')
        return pp_fail(error, PP_BAD_INPUT, "'%s': '%s' is not the name of a host",
                       path, name);
    if (add(hosts, name) != 0)
        return pp_fail(error, PP_ENVIRONMENT, "out of memory for the hosts of '%s'",
                       path);
    return 0;
}

int pp_hosts_read(struct pp_hosts *hosts, const char *path, struct pp_error *error)
{
    char *line = NULL;
    size_t room = 0;
    int status = 0;
    *hosts = (struct pp_hosts){0};
    FILE *file = fopen(path, "re");
    if (!file)
        return pp_fail(error, PP_BAD_INPUT, "cannot open '%s': %s", path,
                       strerror(errno));
    while (status == 0 && getline(&line, &room, file) >= 0)
        status = read_line(hosts, line, path, error);
    if (status == 0 && !feof(file))
        status =
            pp_fail(error, PP_BAD_INPUT, "cannot read '%s': %s", path, strerror(errno));
    else if (status == 0 && hosts->count == 0)
        status = pp_fail(error, PP_BAD_INPUT,
                         "'%s' names no host: a line is a host's name, and how many "
                         "ranks it may have: 'node1 slots=2'",
                         path);
    free(line);
    fclose(file);
    if (status != 0)
        pp_hosts_release(hosts);
    return status;
}

void pp_hosts_release(struct pp_hosts *hosts)
{
    for (int i = 0; i < hosts->count; i++)
        free(hosts->names[i]);
    free(hosts->names);
    *hosts = (struct pp_hosts){0};
}
