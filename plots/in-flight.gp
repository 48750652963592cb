# Activations held over time: a band per rank, filled as high as the microbatches in
# flight, all to one scale. Run in a directory with in-flight-settings.gp and the data,
# times in the unit of the settings:
#   bands.dat      centre row start end low high   one box per rank, behind the outlines
#   in_flight.dat  time row                        one closed outline per rank
#   peaks.dat      time row peak
load 'in-flight-settings.gp'

set title headline noenhanced font ',13'
set xlabel sprintf('time in %s%s', unit, note) noenhanced
set ylabel 'rank'
set xrange [0:makespan * 1.002]
set yrange [rows - 0.4:-0.6]
set xtics out nomirror
eval 'set ytics out nomirror (' . rank_tics . ')'
set border 3
set key outside center top horizontal samplen 2 Left reverse
set rmargin 12

plot 'bands.dat' using 1:2:3:4:5:6 with boxxyerror fs solid 1 noborder \
         fc rgb '#EEEEEE' notitle, \
     'in_flight.dat' using 1:2 with filledcurves closed fs solid 1 noborder \
         fc rgb in_flight_colour \
         title sprintf('microbatches in flight; a full band is %g ' . \
                       '(1: one microbatch in all stages of a rank)', highest), \
     'peaks.dat' every peak_step using 1:2:(sprintf('peak %g', $3)) \
         with labels left offset 1, 0 notitle
