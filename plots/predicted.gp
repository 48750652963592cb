# Measured against predicted: by how much each op started later than in the simulation
# with the median op times; a line per rank. Run in a directory with
# predicted-settings.gp and, per panel, predicted-panel-1.gp and the data:
#   late.dat  start late colour   a block per rank
load 'predicted-settings.gp'

set ytics out nomirror
set grid ytics lt 1 lc rgb '#DDDDDD'
set border 3
set multiplot
do for [panel = 1:panels] {
    load sprintf('predicted-panel-%d.gp', panel)
    set xrange [0:most_time]
    set yrange [late + early > 0 ? -early - 0.08 * (late + early) : -1: \
                late + early > 0 ? late + 0.08 * (late + early) : 1]
    plot 0 with lines lc rgb '#999999', \
         data . 'late.dat' using 1:2:3 with linespoints pt 7 ps 0.35 * point_size \
             lc rgb variable
}
unset multiplot
