# Memory against bubble. Run in a directory with pareto-settings.gp and the data:
#   rows.dat   memory bubble   schedules of the catalogue
#   found.dat  memory bubble   what optimize found; NaN where nothing was searched
#   bound.dat  memory bubble   no order within that memory has a smaller bubble; or NaN.
#                              It holds for all memories below, too: hence the steps
load 'pareto-settings.gp'

set datafile missing 'NaN'
set xrange [0:most_memory]
set yrange [0:most_bubble]
set xtics out nomirror offset 0, 0.4
set ytics out nomirror
set grid ytics lt 1 lc rgb '#DDDDDD'
set border 3
set ylabel bubble_label noenhanced
set multiplot
load 'pareto-panel-1.gp'
plot 'bound.dat' using 1:2 with fsteps lw 1.5 lc rgb '#CC0066', \
     'rows.dat' using 1:2 with points pt 7 ps point_size lc rgb '#0072B2', \
     'found.dat' using 1:2 with points pt 9 ps 1.4 * point_size lc rgb '#D55E00'
unset multiplot
