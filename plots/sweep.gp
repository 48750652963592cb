# A sweep: bubble, step time and memory, a column of panels per value of one dimension
# of the shapes. Run in a directory with sweep-settings.gp and the data:
#   sweep.dat  one block per column and series, behind a first line without numbers:
#              x theory simulated measured least most step-time memory joined
# colour, point, dash and schedule (from 0) are per series.
load 'sweep-settings.gp'

# Lines get thinner from one schedule to the next, so that equal ones all show.
filled(i) = point[i] + 1
after(i) = schedules - 1 - schedule[i]
thickness(i) = 1.2 + 0.9 * point_size * (after(i) > 4 ? 4 : after(i))
block(c, i) = (c - 1) * series + i - 1
big = 1.2 * point_size

set datafile missing 'NaN'
if (x_is_wide) set logscale x 2
set xrange [x_least:x_most]
eval 'set xtics out nomirror noenhanced offset 0, 0.4 (' . x_tics . ')'
set ytics out nomirror
set grid ytics lt 1 lc rgb '#DDDDDD'
set border 3
set multiplot layout 3, columns margins screen left, right, bottom, top \
    spacing screen beside, between

set yrange [0:most_bubble * 1.08]
set ytics bubble_step
do for [c = 1:columns] {
    if (columns > 1) { set title heads[c] noenhanced offset 0, -0.5 }
    set ylabel (c == 1 ? bubble_label : '')
    set format y (c == 1 ? '%g' : '')
    plot for [i = 1:series] 'sweep.dat' index block(c, i) using 1:2 with lines \
             dt dash[i] lw thickness(i) lc rgb colour[i], \
         for [i = 1:series] '' index block(c, i) using 1:9 with lines \
             dt dash[i] lw 1 lc rgb colour[i], \
         for [i = 1:series] '' index block(c, i) using 1:3 with points \
             pt point[i] ps big lw 1.3 lc rgb colour[i], \
         for [i = 1:series] '' index block(c, i) using 1:4:5:6 with yerrorbars \
             pt filled(i) ps big lc rgb colour[i]
    # The sheet's texts are drawn once.
    unset label
    unset arrow
    unset object
}
unset title

if (time_is_wide) { set logscale y 2; set ytics autofreq } else { set ytics time_step }
set yrange [time_is_wide ? least_time / 1.2 : 0 : most_time * (time_is_wide ? 1.2 : 1.08)]
do for [c = 1:columns] {
    set ylabel (c == 1 ? time_label : '')
    set format y (c == 1 ? '%g' : '')
    plot for [i = 1:series] 'sweep.dat' index block(c, i) using 1:7 with lines \
             dt dash[i] lw thickness(i) lc rgb colour[i], \
         for [i = 1:series] '' index block(c, i) using 1:7 with points \
             pt (measured ? filled(i) : point[i]) ps big lw 1.3 lc rgb colour[i]
}
unset logscale y

set yrange [0:most_memory * 1.08]
set ytics memory_step
do for [c = 1:columns] {
    set ylabel (c == 1 ? memory_label : '')
    set format y (c == 1 ? '%g' : '')
    plot for [i = 1:series] 'sweep.dat' index block(c, i) using 1:8 with lines \
             dt dash[i] lw thickness(i) lc rgb colour[i], \
         for [i = 1:series] '' index block(c, i) using 1:8 with points \
             pt (measured ? filled(i) : point[i]) ps big lw 1.3 lc rgb colour[i]
}

unset multiplot
