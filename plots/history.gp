# A history: bubble, makespan and peak in flight over its rows. Run in a directory with
# history-settings.gp and the data:
#   history.dat  one block per line: x bubble makespan peak failed (1, or NaN)
load 'history-settings.gp'

# Okabe & Ito's palette: the colour-blind can distinguish them. Lines differ in the shape
# of their points too.
colours = '#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000 #999999'
colour(i) = word(colours, (i - 1) % words(colours) + 1)
shape(i) = 5 + 2 * ((i - 1) % 5)
# Lines and points get smaller from one to the next, so that equal ones all show.
after(i) = series - i > 4 ? 4 : series - i
thickness(i) = 1.3 + 1.1 * after(i)
size(i) = 0.9 + 0.25 * after(i)

set datafile missing 'NaN'
set xrange [0.5:places + 0.5]
set grid ytics lt 1 lc rgb '#DDDDDD'
set border 3
set xtics out nomirror noenhanced ()
do for [k = 1:place_count] {
    set xtics add ('' place_at[k])
}
set ytics out nomirror
set multiplot layout 3, 1 title headline noenhanced font ',13' \
    margins screen 0.1, 0.97, legend_top + 0.10, 0.93 spacing screen 0.02, 0.03
unset key

set yrange [0:most_bubble * 1.1]
set ylabel 'bubble fraction'
plot for [i = 1:series] 'history.dat' index i - 1 using 1:2 with linespoints \
         pt shape(i) ps size(i) lw thickness(i) lc rgb colour(i), \
     for [i = 1:series] '' index i - 1 using 1:($5 * $2) with points pt 2 ps 2 lw 2 lc rgb 'black'

set yrange [0:most_time * 1.1]
set ylabel 'makespan in ' . unit
plot for [i = 1:series] 'history.dat' index i - 1 using 1:3 with linespoints \
         pt shape(i) ps size(i) lw thickness(i) lc rgb colour(i), \
     for [i = 1:series] '' index i - 1 using 1:($5 * $3) with points pt 2 ps 2 lw 2 lc rgb 'black'

set xtics rotate by 35 right ()
do for [k = 1:place_count] {
    set xtics add (place_names[k] place_at[k])
}
set yrange [0:most_peak * 1.1]
set ylabel 'peak in flight, microbatches'
plot for [i = 1:series] 'history.dat' index i - 1 using 1:4 with linespoints \
         pt shape(i) ps size(i) lw thickness(i) lc rgb colour(i), \
     for [i = 1:series] '' index i - 1 using 1:($5 * $4) with points pt 2 ps 2 lw 2 lc rgb 'black'

# The legend: a panel without axes below the others.
unset border
unset grid
unset tics
unset ylabel
set xrange [0:1]
set yrange [0:1]
set lmargin at screen 0.03
set rmargin at screen 0.97
set bmargin at screen 0.005
set tmargin at screen legend_top
set key inside left top horizontal maxcols 2 Left reverse samplen 3 noenhanced
plot for [i = 1:series] keyentry with linespoints pt shape(i) ps size(i) lw thickness(i) \
         lc rgb colour(i) title titles[i], \
     keyentry with points pt 2 ps 1.5 lw 2 lc rgb 'black' title 'failed', \
     NaN notitle
unset multiplot
