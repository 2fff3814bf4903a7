/* SPDX-License-Identifier: MIT */
#include "harness/report/grid.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report/format.h"

void tb__grid_init(tb__grid *grid, const tb__grid_column *columns, size_t n_columns)
{
    TB_ASSERT(n_columns <= TB__GRID_MAX_COLUMNS);
    *grid = (tb__grid){.columns = columns, .n_columns = n_columns};
}

static size_t count_cells(const tb__grid *grid)
{
    return grid->n_rows * grid->n_columns;
}

void tb__grid_finish(tb__grid *grid)
{
    for (size_t i = 0; i < grid->capacity; i++)
        free(grid->cells[i]);
    free(grid->cells);
    *grid = (tb__grid){.cells = NULL};
}

// n_rows counts begun rows: the next free cell is the first NULL of the last row
void tb__grid_add(tb__grid *grid, const char *text)
{
    size_t i = count_cells(grid) >= grid->n_columns ? count_cells(grid) - grid->n_columns : 0;
    while (i < count_cells(grid) && grid->cells[i] != NULL)
        i++;
    if (i == count_cells(grid)) {
        size_t capacity = count_cells(grid) + grid->n_columns;
        char **cells = realloc(grid->cells, capacity * sizeof *cells);
        if (cells == NULL) {
            grid->failed = 1;
            return;
        }
        memset(cells + grid->capacity, 0, (capacity - grid->capacity) * sizeof *cells);
        grid->cells = cells;
        grid->capacity = capacity;
        grid->n_rows++;
    }
    grid->cells[i] = strdup(text);
    grid->failed |= grid->cells[i] == NULL;
}

static const char *cell(const tb__grid *grid, size_t row, size_t column)
{
    const char *text = grid->cells[row * grid->n_columns + column];
    return text != NULL ? text : "";
}

// characters, not bytes: continuation bytes of UTF-8 do not count
static int width_of(const char *text)
{
    int n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

// the cell as Markdown; the caller frees
static char *escape_markdown(const char *text)
{
    char *escaped = NULL;
    size_t size;
    FILE *out = open_memstream(&escaped, &size);
    if (out == NULL)
        return NULL;
    tb__put_markdown(out, text);
    fclose(out);
    return escaped;
}

static void put_padded(FILE *out, const char *text, int width, int right)
{
    char *escaped = escape_markdown(text);
    const char *shown = escaped != NULL ? escaped : text;
    int pad = width - width_of(shown);
    fprintf(out, right ? "| %*s%s " : "| %.*s%s%*s ", right ? pad : 0, "", shown, pad, "");
    free(escaped);
}

static int markdown_width(const char *text)
{
    char *escaped = escape_markdown(text);
    int width = width_of(escaped != NULL ? escaped : text);
    free(escaped);
    return width;
}

void tb__grid_markdown(const tb__grid *grid, FILE *out)
{
    int width[TB__GRID_MAX_COLUMNS];
    for (size_t c = 0; c < grid->n_columns; c++) {
        width[c] = markdown_width(grid->columns[c].title);
        for (size_t r = 0; r < grid->n_rows; r++) {
            int w = markdown_width(cell(grid, r, c));
            width[c] = w > width[c] ? w : width[c];
        }
        width[c] = width[c] < 3 ? 3 : width[c];
    }
    for (size_t c = 0; c < grid->n_columns; c++)
        put_padded(out, grid->columns[c].title, width[c], grid->columns[c].right);
    fputs("|\n", out);
    for (size_t c = 0; c < grid->n_columns; c++) {
        fputs(grid->columns[c].right ? "|-" : "| ", out);
        for (int i = 0; i < width[c]; i++)
            fputc('-', out);
        fputs(grid->columns[c].right ? ":" : " ", out);
    }
    fputs("|\n", out);
    for (size_t r = 0; r < grid->n_rows; r++) {
        for (size_t c = 0; c < grid->n_columns; c++)
            put_padded(out, cell(grid, r, c), width[c], grid->columns[c].right);
        fputs("|\n", out);
    }
}

// numbers get a minus sign instead of a hyphen
static void put_latex_cell(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        char one[2] = {*text, '\0'};
        if (*text == '-' && isdigit((unsigned char)text[1]))
            fputs("$-$", out);
        else
            tb__put_latex(out, one);
    }
}

static void put_latex_row(const tb__grid *grid, size_t row, FILE *out)
{
    const int repeated = row > 0 && strcmp(cell(grid, row, 0), cell(grid, row - 1, 0)) == 0;
    if (row > 0 && !repeated)
        fputs("\\addlinespace\n", out);
    for (size_t c = 0; c < grid->n_columns; c++) {
        const char *text = c == 0 && repeated ? "" : cell(grid, row, c);
        fputs(c > 0 ? " & " : "", out);
        if (grid->columns[c].right)
            put_latex_cell(out, text);
        else
            tb__put_latex(out, text);
    }
    fputs(" \\\\\n", out);
}

void tb__grid_latex(const tb__grid *grid, FILE *out)
{
    fputs("\\begin{tabular}{@{}", out);
    for (size_t c = 0; c < grid->n_columns; c++)
        fputc(grid->columns[c].right ? 'r' : 'l', out);
    fputs("@{}}\n\\toprule\n", out);
    for (size_t c = 0; c < grid->n_columns; c++) {
        fputs(c > 0 ? " & " : "", out);
        tb__put_latex(out, grid->columns[c].title);
    }
    fputs(" \\\\\n\\midrule\n", out);
    for (size_t r = 0; r < grid->n_rows; r++)
        put_latex_row(grid, r, out);
    fputs("\\bottomrule\n\\end{tabular}\n", out);
}
