/* Words quoted for a shell. */
#ifndef PP_CLI_QUOTE_H
#define PP_CLI_QUOTE_H

#include <stdio.h>

/* Writes the words, ended by NULL, as a shell reads them back, with spaces between. All
 * that is written is printable ASCII, which every format of verdicts can hold. */
void pp_quote_words(char *const *words, FILE *stream);

#endif
