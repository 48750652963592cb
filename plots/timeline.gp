# The timeline of one step: ranks as rows, ops as boxes, with its bubbles, the critical
# path and the lower bound. Run in a directory with timeline-settings.gp and the data,
# times in the unit of the settings:
#   rows.dat    centre row start end low high   one box per row, behind the ops
#   ops.dat     start end row height colour
#   labels.dat  time row microbatch             of the ops that have room for it
#   path.dat    time row                        the critical path, from op to op
load 'timeline-settings.gp'

set title headline noenhanced font ',13'
set xlabel sprintf('time in %s%s', unit, note) noenhanced
set ylabel 'rank'
set xrange [0:makespan * 1.002]
set yrange [rows - 0.4:-0.6]
set xtics out nomirror
eval 'set ytics out nomirror (' . rank_tics . ')'
set border 3
set key outside center top horizontal samplen 2 maxrows 1 Left reverse
set style fill solid 1 noborder
set arrow 1 from lower_bound, graph 0 to lower_bound, graph 1 nohead \
    lc rgb '#CC0066' lw 2 front

plot for [i = 1:words(kinds)] keyentry with boxes fs solid 1 noborder \
         fc rgb word(colours, i) title word(names, i), \
     'rows.dat' using 1:2:3:4:5:6 with boxxyerror fc rgb bubble_colour \
         title 'bubble', \
     'ops.dat' using (($1 + $2) / 2):3:1:2:($3 - $4 / 2):($3 + $4 / 2):5 \
         with boxxyerror fs solid 1 border lc rgb 'white' lw outline fc rgb variable \
         notitle, \
     'labels.dat' using 1:2:3 with labels noenhanced font ',8' notitle, \
     'path.dat' using 1:($2 + 0.3) with lines lc rgb 'black' lw 1.5 \
         title 'critical path', \
     keyentry with lines lc rgb '#CC0066' lw 2 \
         title 'lower bound: the busiest rank''s work'
