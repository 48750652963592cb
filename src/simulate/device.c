#include "simulate/device.h"

#include <math.h>

#include "base/scan.h"

int pp_device_text(const char *text, struct pp_device *device, struct pp_error *error)
{
    static const char *const keys[] = {"flops", "bandwidth", NULL};
    enum { FLOPS, BANDWIDTH };
    struct pp_scanner scanner = PP_SCANNER("device", text, error);
    int key, more;
    *device = (struct pp_device){.bandwidth = INFINITY};
    while ((more = pp_scan_key(&scanner, keys, &key, NULL)) > 0) {
        const struct pp_units *units = key == FLOPS ? &pp_flop_rates : &pp_bandwidths;
        double *rate = key == FLOPS ? &device->flops : &device->bandwidth;
        if (pp_scan_positive(&scanner, units, rate) != 0)
            return -1;
    }
    if (more == 0 && !(scanner.given & 1u << FLOPS))
        return pp_fail(error, PP_BAD_INPUT,
                       "'--device' lacks flops: give flops=100TFLOPS,bandwidth=1TB/s");
    return more;
}

/* The roofline of Williams, Waterman & Patterson, CACM 52(4), 2009. */
static int64_t roofline(const struct pp_device *device, double flops, double bytes)
{
    double seconds = fmax(flops / device->flops, bytes / device->bandwidth);
    return pp_nanoseconds(1e9 * seconds);
}

void pp_costs_derive(struct pp_costs *costs, const struct pp_device *device,
                     const struct pp_work *work)
{
    for (int s = 0; s < costs->stages; s++) {
        int64_t *op = costs->op[s];
        op[PP_F] = roofline(device, work[s].forward, work[s].bytes);
        op[PP_I] = roofline(device, work[s].input, work[s].bytes);
        op[PP_W] = roofline(device, work[s].weight, work[s].bytes);
        op[PP_B] = op[PP_I] + op[PP_W];
    }
}
