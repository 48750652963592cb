# The timeline of one step: ranks as rows, ops as boxes, with its bubbles, the critical
# path and the lower bound. Run in a directory with timeline-settings.gp and, per panel,
# timeline-panel-1.gp and the data, times in the unit of the settings:
#   rows.dat    centre row start end low high   one box per row, behind the ops
#   ops.dat     start end row height colour
#   bound.dat   time row                        the lower bound, from bottom to top
#   labels.dat  time row microbatch             of the ops that have room for it
#   path.dat    time row                        the critical path, from op to op
load 'timeline-settings.gp'

set border 3
set multiplot
do for [panel = 1:panels] {
    load sprintf('timeline-panel-%d.gp', panel)
    set xrange [0:most_time]
    set yrange [rows - 0.4:-0.6]
    plot data . 'rows.dat' using 1:2:3:4:5:6 with boxxyerror fs solid 1 noborder \
             fc rgb bubble_colour, \
         data . 'ops.dat' using (($1 + $2) / 2):3:1:2:($3 - $4 / 2):($3 + $4 / 2):5 \
             with boxxyerror lw 0.5 fc rgb variable, \
         data . 'bound.dat' using 1:2 with lines lc rgb '#CC0066' lw 1.5, \
         data . 'path.dat' using 1:($2 + 0.3) with lines lc rgb 'black' lw 1.3, \
         data . 'labels.dat' using 1:2:3 with labels noenhanced font small_font
}
unset multiplot
