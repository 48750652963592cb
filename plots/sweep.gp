# A sweep: bubble, step time and memory against microbatches. Run in a directory with
# sweep-settings.gp and the data:
#   sweep.dat  one block per schedule, p and v:
#              m theory simulated measured least most makespan-ms peak-in-flight
load 'sweep-settings.gp'

# Okabe & Ito's palette: told apart by the colour-blind; shapes tell the rest.
colours = '#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000 #999999'
colour(i) = word(colours, (i - 1) % words(colours) + 1)
shape(i) = 4 + 2 * ((i - 1) % 5)

set datafile missing 'NaN'
set logscale x 2
set xtics out nomirror
set ytics out nomirror
set grid ytics lc rgb '#DDDDDD'
set border 3
set multiplot layout 2, 2 title 'Sweep: theory as lines, simulated open, measured filled' \
    font ',13'

set title 'Bubble'
set xlabel 'microbatches m'
set ylabel 'bubble fraction'
set yrange [0:*]
unset key
plot for [i = 1:series] 'sweep.dat' index i - 1 using 1:2 with lines lw 1.5 \
         lc rgb colour(i), \
     for [i = 1:series] 'sweep.dat' index i - 1 using 1:3 with points pt shape(i) \
         ps 1.2 lc rgb colour(i), \
     for [i = 1:series] 'sweep.dat' index i - 1 using 1:4:5:6 with yerrorbars \
         pt shape(i) + 1 ps 1.2 lc rgb colour(i)

set title 'Step time'
set ylabel 'makespan in ms'
plot for [i = 1:series] 'sweep.dat' index i - 1 using 1:7 with linespoints pt shape(i) \
         ps 1 lc rgb colour(i)

set title 'Memory'
set ylabel 'peak in flight, microbatches of one whole rank'
plot for [i = 1:series] 'sweep.dat' index i - 1 using 1:8 with linespoints pt shape(i) \
         ps 1 lc rgb colour(i)

# The fourth panel is the legend.
unset title
unset xlabel
unset ylabel
unset border
unset xtics
unset ytics
unset grid
unset logscale x
set key at graph 0.05, 0.95 left top Left reverse samplen 3 spacing 1.3
set xrange [0:1]
set yrange [0:1]
plot for [i = 1:series] keyentry with linespoints pt shape(i) ps 1.2 lc rgb colour(i) \
         title titles[i], NaN notitle
unset multiplot
