#include "serve/deaths.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <unistd.h>

void pp_deaths_init(struct pp_deaths *deaths)
{
    *deaths = (struct pp_deaths){.any = -1};
}

void pp_deaths_release(struct pp_deaths *deaths)
{
    for (int i = 0; i < deaths->count; i++)
        close(deaths->ranks[i]);
    if (deaths->any >= 0)
        close(deaths->any);
    pp_deaths_init(deaths);
}

static void watch(struct pp_deaths *deaths, const json_t *rank, int number,
                  const char *host)
{
    const char *its = json_string_value(json_object_get(rank, "host"));
    json_int_t pid = json_integer_value(json_object_get(rank, "pid"));
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT,
                                .data.u32 = (uint32_t)number};
    if (pid <= 0 || !its || strcmp(its, host) != 0 || deaths->count == PP_MOST_WATCHED)
        return;
    int fd = pidfd_open((pid_t)pid, 0);
    if (fd < 0)
        return;
    if (epoll_ctl(deaths->any, EPOLL_CTL_ADD, fd, &event) == 0)
        deaths->ranks[deaths->count++] = fd;
    else
        close(fd);
}

void pp_deaths_watch(struct pp_deaths *deaths, const json_t *ranks)
{
    char host[64] = ""; /* as many as a rank says of its own */
    size_t i;
    json_t *rank;
    pp_deaths_release(deaths);
    gethostname(host, sizeof host - 1);
    deaths->any = epoll_create1(EPOLL_CLOEXEC);
    if (deaths->any < 0)
        return;
    json_array_foreach(ranks, i, rank) watch(deaths, rank, (int)i, host);
}

int pp_deaths_look(struct pp_deaths *deaths)
{
    struct epoll_event event;
    if (deaths->any < 0 || epoll_wait(deaths->any, &event, 1, 0) != 1)
        return -1;
    return (int)event.data.u32;
}
