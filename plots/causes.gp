# The bubble by cause: a bar per rank, of its idle time in percent of the makespan. Run in
# a directory with causes-settings.gp and, per panel, causes-panel-1.gp and the data:
#   causes.dat  rank warmup dependency communication overhead cooldown
load 'causes-settings.gp'

set ytics out nomirror
set grid ytics lt 1 lc rgb '#DDDDDD'
set border 3
set style fill solid 1 noborder
set boxwidth 0.8
set style textbox opaque noborder margins 0.3, 0.1
upto(n) = sum [i = 2:n] column(i)
set multiplot
do for [panel = 1:panels] {
    load sprintf('causes-panel-%d.gp', panel)
    set xrange [-0.6:ranks - 0.4]
    set yrange [0:most > 0 ? headroom * most : 1]
    # The longest first, so that each next one covers all of it but its last cause.
    plot for [n = 6:2:-1] data . 'causes.dat' using 1:(upto(n)) with boxes \
             fc rgb word(colours, n - 1), \
         bubble with lines dt (8, 5) lw 1.5 lc rgb 'black', \
         for [once = 1:numbers] data . 'causes.dat' \
             using 1:(upto(6)):(sprintf('%.1f', upto(6))) \
             with labels boxed offset 0, 0.6 font small_font
}
unset multiplot
