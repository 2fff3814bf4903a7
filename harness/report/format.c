/* SPDX-License-Identifier: MIT */
#include "harness/report/format.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int tb__decimals(double uncertainty)
{
    if (!(uncertainty > 0) || !isfinite(uncertainty))
        return -1;
    // 0.032 -> 3 decimals, 4.5 -> 1, 45 and more -> 0
    double decimals = 1 - floor(log10(uncertainty));
    return decimals < 0 ? 0 : decimals > 6 ? 6 : (int)decimals;
}

void tb__format_number(char out[TB__NUMBER_SIZE], double value, int decimals)
{
    if (isnan(value))
        snprintf(out, TB__NUMBER_SIZE, "nan");
    else if (isinf(value))
        snprintf(out, TB__NUMBER_SIZE, value > 0 ? "inf" : "-inf");
    else if (fabs(value) >= 1e7)
        snprintf(out, TB__NUMBER_SIZE, "%.4g", value);
    else if (decimals < 0)
        snprintf(out, TB__NUMBER_SIZE, "%.6g", value);
    else
        snprintf(out, TB__NUMBER_SIZE, "%.*f", decimals, value);
    // a zero after rounding has no sign
    if (out[0] == '-' && strspn(out + 1, "0.") == strlen(out + 1))
        memmove(out, out + 1, strlen(out));
}

void tb__put_number(FILE *out, double value)
{
    if (isnan(value))
        fputs("nan", out);
    else
        fprintf(out, "%.17g", value);
}

void tb__format_steps(char out[TB__NUMBER_SIZE], double steps)
{
    if (steps >= 1e6)
        snprintf(out, TB__NUMBER_SIZE, "%.6gM", steps / 1e6);
    else if (steps >= 1e3)
        snprintf(out, TB__NUMBER_SIZE, "%.6gk", steps / 1e3);
    else
        snprintf(out, TB__NUMBER_SIZE, "%.6g", steps);
}

void tb__format_count(char out[TB__NUMBER_SIZE], int64_t count)
{
    char digits[24];
    int n = snprintf(digits, sizeof digits, "%lld", (long long)count);
    char *write = out;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0 && digits[i - 1] != '-')
            *write++ = ',';
        *write++ = digits[i];
    }
    *write = '\0';
}

static char printable(char c)
{
    return (unsigned char)c < ' ' ? ' ' : c;
}

void tb__put_csv(FILE *out, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text != '\0'; text++)
        fprintf(out, *text == '"' ? "\"\"" : "%c", printable(*text));
    fputc('"', out);
}

void tb__put_markdown(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("|*`<\\", *text) != NULL)
            fputc('\\', out);
        fputc(printable(*text), out);
    }
}

static const char *latex_escape(char c)
{
    switch (c) {
    case '\\': return "\\textbackslash{}";
    case '{': return "\\{";
    case '}': return "\\}";
    case '$': return "\\$";
    case '&': return "\\&";
    case '#': return "\\#";
    case '_': return "\\_";
    case '%': return "\\%";
    case '~': return "\\textasciitilde{}";
    case '^': return "\\textasciicircum{}";
    case '<': return "\\textless{}";
    case '>': return "\\textgreater{}";
    case '|': return "\\textbar{}";
    case '"': return "\\textquotedbl{}";
    default: return NULL;
    }
}

void tb__put_latex(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char *escaped = latex_escape(*text);
        if (escaped != NULL)
            fputs(escaped, out);
        else
            fputc(printable(*text), out);
    }
}

// in single quotes only the quote itself means something: no backslash, no backquote
void tb__put_gnuplot(FILE *out, const char *text)
{
    fputc('\'', out);
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            fputc('\'', out);
        fputc(printable(*text), out);
    }
    fputc('\'', out);
}
