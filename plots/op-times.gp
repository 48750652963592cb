# How long the ops took, by stage and kind. Run in a directory with op-times-settings.gp
# and, per panel, op-times-panel-1.gp and the data, durations in the unit of the settings:
#   op_times.dat  place duration colour       the ops of one step
#   costs.dat     place median p5 p95         over all measured steps
load 'op-times-settings.gp'

set ytics out nomirror
set grid ytics lt 1 lc rgb '#DDDDDD'
set border 3
set multiplot
do for [panel = 1:panels] {
    load sprintf('op-times-panel-%d.gp', panel)
    set xrange [-0.6:stages - 0.4]
    set yrange [0:1.15 * most]
    plot data . 'op_times.dat' using 1:2:3 with points pt 7 ps 0.5 * point_size \
             lc rgb variable, \
         data . 'costs.dat' using 1:2:3:4 with yerrorbars pt -1 lc rgb 'black' lw 1.2, \
         data . 'costs.dat' using 1:2 with points pt 9 ps mark_size lc rgb 'black'
}
unset multiplot
