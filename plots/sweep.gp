# A sweep: bubble, step time and memory, a column of panels per value of one dimension
# of the shapes. Run in a directory with sweep-settings.gp and the data:
#   sweep.dat  one block per column and series, behind a first line without numbers:
#              x theory simulated measured least most step-time memory
# titles, schedule (from 0) and dash (from 1) are per series.
load 'sweep-settings.gp'

# Okabe & Ito's palette: the colour-blind can distinguish them. Schedules differ in
# shape too; lines get thinner from one to the next, so that equal ones all show.
colours = '#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000 #999999'
colour(i) = word(colours, schedule[i] % words(colours) + 1)
open(i) = 4 + 2 * (schedule[i] % 5)
filled(i) = open(i) + 1
after(i) = schedules - 1 - schedule[i]
thickness(i) = 1.5 + 1.1 * (after(i) > 4 ? 4 : after(i))
block(c, i) = (c - 1) * series + i - 1
style(i) = dash[i] > 5 ? 5 : dash[i]

set datafile missing 'NaN'
if (x_is_wide) set logscale x 2
set xrange [x_least:x_most]
eval 'set xtics out nomirror noenhanced (' . x_tics . ')'
set ytics out nomirror
set grid ytics lt 1 lc rgb '#DDDDDD'
set border 3
set multiplot layout 3, columns title headline noenhanced font ',13' \
    margins screen left, right, 0.07, 0.91 spacing screen 0.02, 0.06
unset key

set yrange [0:most_bubble * 1.08]
do for [c = 1:columns] {
    set title heads[c]
    set ylabel (c == 1 ? 'bubble fraction' : '')
    set format y (c == 1 ? '%g' : '')
    plot for [i = 1:series] 'sweep.dat' index block(c, i) using 1:2 with lines \
             dt style(i) lw thickness(i) lc rgb colour(i), \
         for [i = 1:series] '' index block(c, i) using 1:3 with points \
             pt open(i) ps 1.3 lw 1.3 lc rgb colour(i), \
         for [i = 1:series] '' index block(c, i) using 1:4:5:6 with yerrorbars \
             pt filled(i) ps 1.1 lc rgb colour(i)
}
unset title

if (time_is_wide) set logscale y 2
set yrange [time_is_wide ? least_time / 1.2 : 0 : most_time * (time_is_wide ? 1.2 : 1.08)]
do for [c = 1:columns] {
    set ylabel (c == 1 ? 'step time in ' . unit : '')
    set format y (c == 1 ? '%g' : '')
    plot for [i = 1:series] 'sweep.dat' index block(c, i) using 1:7 with lines \
             dt style(i) lw thickness(i) lc rgb colour(i), \
         for [i = 1:series] '' index block(c, i) using 1:7 with points \
             pt (measured ? filled(i) : open(i)) ps 1.1 lw 1.3 lc rgb colour(i)
}
unset logscale y

set yrange [0:most_memory * 1.08]
set xlabel x_label
do for [c = 1:columns] {
    set ylabel (c == 1 ? memory_label : '')
    set format y (c == 1 ? '%g' : '')
    plot for [i = 1:series] 'sweep.dat' index block(c, i) using 1:8 with lines \
             dt style(i) lw thickness(i) lc rgb colour(i), \
         for [i = 1:series] '' index block(c, i) using 1:8 with points \
             pt (measured ? filled(i) : open(i)) ps 1.1 lw 1.3 lc rgb colour(i)
}

# The legend: a panel without axes beside the others, of their whole height.
unset border
unset grid
unset tics
unset xlabel
unset ylabel
unset logscale x
set xrange [0:1]
set yrange [0:1]
set lmargin at screen right
set rmargin at screen 0.999
set bmargin at screen 0.01
set tmargin at screen 0.91
set key inside left top vertical maxcols 1 Left reverse samplen 3 spacing 1.3 noenhanced
plot for [i = 1:series] keyentry with linespoints dt style(i) pt open(i) ps 1.3 lw 1.5 \
         lc rgb colour(i) title titles[i], \
     keyentry with lines lc rgb 'black' title 'theory', \
     keyentry with points pt 6 lc rgb 'black' title 'simulated', \
     for [i = 1:measured] keyentry with yerrorbars pt 7 lc rgb 'black' \
         title 'measured (range)', \
     NaN notitle
unset multiplot
