/* Prints which BLAS computes, with which kernels. */
#include <stdio.h>

#include "model/blas.h"

int main(void)
{
    char text[64];
    struct pp_error error = {0};
    if (pp_blas_init(1, &error) != 0)
        return puts(error.text) >= 0;
    return puts(pp_blas_description(text, sizeof text)) < 0;
}
