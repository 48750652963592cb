/* The page that is served at "/": one file without any outside resource, made from
 * src/serve/page by page/join.py. */
#ifndef PP_SERVE_PAGE_H
#define PP_SERVE_PAGE_H

#include <stddef.h>

extern const char pp_page[]; /* [pp_page_length] HTML, UTF-8; a '\0' follows */
extern const size_t pp_page_length;
/* The value of Content-Security-Policy, with which it is to be sent: it allows this
 * page's own script and style, by their hashes, and no other. */
extern const char pp_page_csp[];

#endif
