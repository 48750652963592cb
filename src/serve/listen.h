/* The sockets that serve's parent listens on. */
#ifndef PP_SERVE_LISTEN_H
#define PP_SERVE_LISTEN_H

#include "base/error.h"
#include "base/folder.h"

enum { PP_LISTEN_ADDRESS = 320 };

/* Listens on a host, a name or an address, and a port (0: any). Returns the socket and
 * writes "http://HOST:PORT"; -1: PP_BAD_INPUT for the host, PP_ENVIRONMENT for the
 * port. */
int pp_listen_http(const char *host, int port, char address[PP_LISTEN_ADDRESS],
                   struct pp_error *error);

/* Makes a folder for this user alone, and listens on a Unix socket in it, whose path it
 * sets, to be freed. PP_ENVIRONMENT. */
int pp_listen_local(struct pp_folder *folder, char **path, struct pp_error *error);

#endif
