# How long the ops took, by stage and kind. Run in a directory with op-times-settings.gp
# and the data, durations in the unit of the settings:
#   op_times.dat  place duration colour       the ops of one step
#   costs.dat     place median p5 p95         over all measured steps
load 'op-times-settings.gp'

set title headline noenhanced font ',13'
set xlabel sprintf('stage%s', note) noenhanced
set ylabel sprintf('op time in %s', unit)
set xrange [-0.6:stages - 0.4]
set yrange [0:*]
set offsets 0, 0, graph 0.05, 0
set xtics out nomirror 0, stage_step
set ytics out nomirror
set grid ytics lc rgb '#DDDDDD'
set border 3
set key outside center top horizontal samplen 2 maxrows 1 Left reverse

plot for [i = 1:words(kinds)] keyentry with points pt 7 ps 1 \
         lc rgb word(colours, i) title word(names, i), \
     'op_times.dat' using 1:2:3 with points pt 7 ps 0.5 lc rgb variable notitle, \
     'costs.dat' using 1:2:3:4 with yerrorbars pt -1 lc rgb 'black' lw 1.2 \
         title '5th to 95th percentile over all steps', \
     'costs.dat' using 1:2 with points pt 9 ps 1 lc rgb 'black' title 'median'
