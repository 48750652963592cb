#include "serve/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/words.h"

/* The address as a browser wants it. */
static void name_address(int listening, const char *host,
                         char address[PP_LISTEN_ADDRESS])
{
    struct sockaddr_storage own;
    socklen_t size = sizeof own;
    char port[NI_MAXSERV] = "";
    bool six = strchr(host, ':') != NULL;
    if (getsockname(listening, (void *)&own, &size) == 0)
        getnameinfo((void *)&own, size, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    pp_assign(address, PP_LISTEN_ADDRESS, "http://%s%s%s:%s", six ? "[" : "", host,
              six ? "]" : "", port);
}

static int listen_at(const struct addrinfo *place)
{
    const int on = 1;
    int fd = socket(place->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, place->ai_addr, place->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int reason = errno;
    close(fd);
    errno = reason;
    return -1;
}

int pp_listen_http(const char *host, int port, char address[PP_LISTEN_ADDRESS],
                   struct pp_error *error)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *places = NULL;
    char service[16];
    int fd = -1;
    snprintf(service, sizeof service, "%d", port);
    int found = getaddrinfo(host, service, &hints, &places);
    if (found != 0)
        return pp_fail(error, PP_BAD_INPUT, "'--host' '%s': %s", host,
                       gai_strerror(found));
    for (const struct addrinfo *place = places; place && fd < 0; place = place->ai_next)
        fd = listen_at(place);
    int reason = errno;
    freeaddrinfo(places);
    if (fd < 0)
        return pp_fail(error, PP_ENVIRONMENT, "cannot listen on '%s', port %d: %s",
                       host, port, strerror(reason));
    name_address(fd, host, address);
    return fd;
}

/* A socket's path is short: where $TMPDIR is not, /tmp will do. */
static int make_folder(struct pp_folder *folder, const char *name,
                       struct pp_error *error)
{
    const size_t most = sizeof((struct sockaddr_un *)0)->sun_path;
    if (pp_folder_init(folder, "serve", error) != 0)
        return -1;
    if (strlen(folder->path) + strlen(name) + 2 <= most)
        return 0;
    pp_folder_release(folder);
    return pp_folder_init_in(folder, "/tmp", "serve", error);
}

int pp_listen_local(struct pp_folder *folder, char **path, struct pp_error *error)
{
    static const char name[] = "link";
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (make_folder(folder, name, error) != 0)
        return -1;
    *path = pp_folder_file(folder, name, error);
    if (!*path)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && pp_assign(address.sun_path, sizeof address.sun_path, "%s", *path) &&
        bind(fd, (void *)&address, sizeof address) == 0 && listen(fd, 1) == 0)
        return fd;
    pp_fail(error, PP_ENVIRONMENT, "cannot listen on '%s': %s", *path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}
