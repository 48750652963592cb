#include "model/learning_rate.h"

#include <math.h>

double pp_learning_rate(const struct pp_learning_rate *rate, int step)
{
    const double pi = 3.14159265358979323846;
    if (step < rate->warmup)
        return rate->most * step / rate->warmup;
    if (step == rate->warmup || rate->kind == PP_RATE_CONSTANT)
        return rate->most;
    if (step >= rate->decay)
        return rate->least;
    double x = (double)(step - rate->warmup) / (rate->decay - rate->warmup);
    return rate->least + (rate->most - rate->least) * (1 + cos(pi * x)) / 2;
}
