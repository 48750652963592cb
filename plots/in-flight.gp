# Activations held over time: a band per rank, filled as high as the microbatches in
# flight, all to one scale. Run in a directory with in-flight-settings.gp and, per panel,
# in-flight-panel-1.gp and the data, times in the unit of the settings:
#   bands.dat      centre row start end low high   one box per rank, behind the outlines
#   in_flight.dat  time row                        one closed outline per rank
#   peaks.dat      time row peak
load 'in-flight-settings.gp'

set border 3
set multiplot
do for [panel = 1:panels] {
    load sprintf('in-flight-panel-%d.gp', panel)
    set xrange [0:most_time]
    set yrange [rows - 0.4:-0.6]
    plot data . 'bands.dat' using 1:2:3:4:5:6 with boxxyerror fs solid 1 noborder \
             fc rgb '#EEEEEE', \
         data . 'in_flight.dat' using 1:2 with filledcurves closed fs solid 1 noborder \
             fc rgb in_flight_colour, \
         data . 'peaks.dat' every peak_step using 1:2:(sprintf('peak %g', $3)) \
             with labels left offset 0.7, 0 font small_font
}
unset multiplot
