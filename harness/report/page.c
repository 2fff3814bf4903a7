/* SPDX-License-Identifier: MIT */
#include "harness/report/page.h"

#include <stdlib.h>

#include "harness/report/data.h"
#include "harness/report/format.h"

// Okabe & Ito 2008, "Color universal design": told apart with every kind of colour vision; yellow
// last, because it is weak on white
static const char *const palette[] = {"0072B2", "D55E00", "009E73", "CC79A7",
                                      "56B4E9", "E69F00", "000000", "F0E442"};
// the dash says it again in grey print; the first is solid
static const char *const dashes[] = {"solid", "(12,5)", "(4,4)", "(12,4,3,4)"};
enum {
    n_colours = sizeof palette / sizeof palette[0],
    n_dashes = sizeof dashes / sizeof dashes[0]
};

const char *tb__page_colour(size_t i)
{
    return palette[i % n_colours];
}

void tb__page_theme(size_t n_series, FILE *out)
{
    fputs("reset\n"
          "set encoding utf8\n"
          "set minussign\n"
          "set datafile separator \"\\t\"\n"
          "set datafile missing \"nan\"\n"
          "set style fill transparent solid 0.20 noborder\n"
          "set format y \"%g\"\n\n"
          "# one line type for each policy and algorithm: change colours, widths, dashes here\n",
          out);
    for (size_t i = 0; i < n_series; i++)
        fprintf(out, "set linetype %zu lw 1.7 dt %s lc rgb \"#%s\"\n", i + 1,
                dashes[(i + i / n_colours) % n_dashes], tb__page_colour(i));
    fputs("threshold = \"lw 0.9 dt (7,5) lc rgb '#8C8C8C'\"\n\n", out);
}

// `do for` over the three kinds of file, all the same size in print
void tb__page_begin(double width, double height, const char *name, FILE *out)
{
    fprintf(out,
            "do for [kind in \"svg pdf png\"] {\n"
            "  pt = kind eq \"svg\" ? 96.0 / 72 : 1 # svg counts in pixels\n"
            "  if (kind eq \"svg\") { set terminal svg size %.0f,%.0f font \"DejaVu Sans,10.67\" "
            "linewidth 1.33 dashlength 0.8 background \"#FFFFFF\" }\n"
            "  if (kind eq \"pdf\") { set terminal pdfcairo size %.2fin,%.2fin "
            "font \"DejaVu Sans,8\" fontscale 0.75 linewidth 1.4 dashlength 0.7 }\n"
            "  if (kind eq \"png\") { set terminal pngcairo size %.0f,%.0f font \"DejaVu Sans,8\" "
            "fontscale 2.083 linewidth 2.083 dashlength 0.8 }\n"
            "  set output ",
            96 * width, 96 * height, width, height, 200 * width, 200 * height);
    char *file = tb__text("%s.", name);
    tb__put_gnuplot(out, file != NULL ? file : "");
    free(file);
    // the legend of the page before switched these off
    fputs(".kind\n"
          "  set border 3 lw 0.7 lc rgb \"#404040\"\n"
          "  set tics nomirror out scale 0.4 textcolor rgb \"#202020\"\n"
          "  set xtics nomirror offset 0,0.3\n"
          "  set ytics nomirror offset 0.4,0\n"
          "  set grid noxtics ytics lt 1 lw 0.4 lc rgb \"#E4E4E4\"\n"
          "  unset key\n"
          "  set multiplot\n\n",
          out);
}

void tb__page_end(FILE *out)
{
    fputs("  unset multiplot\n  unset output\n}\n", out);
}
