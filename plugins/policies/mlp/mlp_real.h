/* SPDX-License-Identifier: MIT
 *
 * The kernels of one element type; mlp_level.h includes this file once for float, once for double.
 * REAL is the element, VEC its vector, BITS the vector of unsigned integers of that width, NAME(x)
 * adds the type's suffix; the TANH_* numbers are described at tanh below.
 *
 * Everything is a sum of matrix products C = C0 + A1 B1 + A2 B2 + ..., computed in register tiles
 * of SIMD_ROWS rows x SIMD_VECS vectors of columns. Each element of C is one chain of multiply-adds
 * in the order of the terms and, within a term, of k. So its bits depend on nothing but its row of
 * A and its column of B: not on the batch size, the position in the batch, the tile or the vector
 * width.
 *
 * Lanes beyond the last column hold garbage (often the next row's numbers) and are never stored
 * outside the workspace.
 */

#define LANES (SIMD_BYTES / sizeof(REAL))
#define PANEL (SIMD_VECS * LANES) /* columns of the widest tile */

/* One term A B: A [rows][n] with element (r, k) at a[r a_row + k a_k], B [n][columns]. */
typedef struct NAME(term) {
    const REAL *a;
    size_t a_row, a_k; /* one of them is 1 */
    const REAL *b;
    size_t ldb;
    const REAL *b_end; /* no element from here on may be read; NULL: rows are padded to PANEL */
    size_t n;
} NAME(term);

static inline __attribute__((always_inline)) VEC NAME(load)(const REAL *p)
{
    VEC v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline __attribute__((always_inline)) void NAME(store)(REAL *p, VEC v)
{
    memcpy(p, &v, sizeof v);
}

/* C[r][j] = init[r][j] + sum over terms and k of a(r, k) b[k][j] for one tile. `rows`, `vecs` and
 * `transposed` (a_row is 1, else a_k is) are compile-time constants of each caller: the loops over
 * them unroll and acc stays in registers. */
static inline __attribute__((always_inline)) void
NAME(tile)(const size_t rows, const size_t vecs, const int transposed, const NAME(term) * terms,
           size_t n_terms, size_t row, const REAL *init, size_t ld_init, REAL *c, size_t ldc)
{
    VEC acc[SIMD_ROWS][SIMD_VECS];
    UNROLL for (size_t r = 0; r < rows; r++) UNROLL for (size_t v = 0; v < vecs; v++) acc[r][v] =
        NAME(load)(init + r * ld_init + v * LANES);
    for (size_t t = 0; t < n_terms; t++) {
        const size_t a_row = transposed ? 1 : terms[t].a_row;
        const size_t a_k = transposed ? terms[t].a_k : 1;
        const size_t ldb = terms[t].ldb;
        const REAL *a = terms[t].a + row * a_row;
        const REAL *b = terms[t].b;
        for (size_t k = terms[t].n; k > 0; k--) {
            VEC bk[SIMD_VECS];
            UNROLL for (size_t v = 0; v < vecs; v++) bk[v] = NAME(load)(b + v * LANES);
            UNROLL for (size_t r = 0; r < rows; r++)
            {
                const VEC ark = a[r * a_row] - (VEC){0};
                UNROLL for (size_t v = 0; v < vecs; v++) acc[r][v] = FMA(ark, bk[v], acc[r][v]);
            }
            a += a_k;
            b += ldb;
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++) UNROLL for (size_t v = 0; v < vecs; v++)
        NAME(store)(c + r * ldc + v * LANES, acc[r][v]);
}

typedef void NAME(tile_call)(const NAME(term) * terms, size_t n_terms, size_t row, const REAL *init,
                             size_t ld_init, REAL *c, size_t ldc);

#define TILE(rows, vecs, transposed)                                                               \
    static void NAME(tile_##rows##_##vecs##_##transposed)(                                         \
        const NAME(term) * terms, size_t n_terms, size_t row, const REAL *init, size_t ld_init,    \
        REAL *c, size_t ldc)                                                                       \
    {                                                                                              \
        NAME(tile)(rows, vecs, transposed, terms, n_terms, row, init, ld_init, c, ldc);            \
    }
#define TILE_ROWS(vecs, transposed)                                                                \
    TILE(1, vecs, transposed)                                                                      \
    TILE(2, vecs, transposed)                                                                      \
    TILE(3, vecs, transposed)                                                                      \
    TILE(4, vecs, transposed)                                                                      \
    TILE(5, vecs, transposed)                                                                      \
    TILE(6, vecs, transposed)
#define TILE_NAMES(vecs, transposed)                                                               \
    {                                                                                              \
        NAME(tile_1_##vecs##_##transposed), NAME(tile_2_##vecs##_##transposed),                    \
            NAME(tile_3_##vecs##_##transposed), NAME(tile_4_##vecs##_##transposed),                \
            NAME(tile_5_##vecs##_##transposed), NAME(tile_6_##vecs##_##transposed)                 \
    }

TILE_ROWS(1, 0)
TILE_ROWS(1, 1)
TILE_ROWS(2, 0)
TILE_ROWS(2, 1)
#if SIMD_VECS == 4
TILE_ROWS(3, 0)
TILE_ROWS(3, 1)
TILE_ROWS(4, 0)
TILE_ROWS(4, 1)
#endif

/* [transposed][vectors - 1][rows - 1] */
static NAME(tile_call) *const NAME(tiles)[2][SIMD_VECS][SIMD_ROWS] = {
#if SIMD_VECS == 4
    {TILE_NAMES(1, 0), TILE_NAMES(2, 0), TILE_NAMES(3, 0), TILE_NAMES(4, 0)},
    {TILE_NAMES(1, 1), TILE_NAMES(2, 1), TILE_NAMES(3, 1), TILE_NAMES(4, 1)},
#else
    {TILE_NAMES(1, 0), TILE_NAMES(2, 0)},
    {TILE_NAMES(1, 1), TILE_NAMES(2, 1)},
#endif
};

#undef TILE
#undef TILE_ROWS
#undef TILE_NAMES

/* ---- matrix products ---- */

#define MAX_TERMS 2

/* The terms of one panel of columns. The last rows of an unpadded B, where a whole vector would
 * reach beyond its end, are copied into `edge`, zero-filled, and become a term of their own. */
typedef struct NAME(panel) {
    NAME(term) terms[2 * MAX_TERMS];
    size_t n_terms;
    REAL init[PANEL];
    REAL edge[MAX_TERMS][LANES * PANEL];
} NAME(panel);

/* Number of rows of B from which `width` elements at column j can be read. */
static size_t NAME(readable_rows)(const NAME(term) * term, size_t j, size_t width)
{
    size_t available = term->b_end ? (size_t)(term->b_end - term->b) : 0, rows;
    if (!term->b_end)
        return term->n;
    if (available < j + width)
        return 0;
    rows = (available - j - width) / term->ldb + 1;
    return rows < term->n ? rows : term->n;
}

/* Adds the columns j .. j + width of `term`, of which `valid` exist. The edge has fewer than LANES
 * rows: row n - m is unreadable iff m ldb < j + width, where j + width < ldb + LANES. */
static void NAME(panel_add)(NAME(panel) * panel, const NAME(term) * term, size_t j, size_t width,
                            size_t valid, REAL *edge)
{
    const size_t body = NAME(readable_rows)(term, j, width);
    if (body > 0) {
        NAME(term) *out = &panel->terms[panel->n_terms++];
        *out = *term;
        out->b += j;
        out->n = body;
    }
    if (body < term->n) {
        NAME(term) *out = &panel->terms[panel->n_terms++];
        *out = *term;
        out->a += body * term->a_k;
        out->b = edge;
        out->ldb = width;
        out->n = term->n - body;
        for (size_t k = 0; k < out->n; k++)
            for (size_t i = 0; i < width; i++)
                edge[k * width + i] = i < valid ? term->b[(body + k) * term->ldb + j + i] : 0;
    }
}

/* One tile whose last columns do not exist in C: through a copy. */
static void NAME(ragged_tile)(NAME(tile_call) * call, const NAME(panel) * panel, size_t row,
                              size_t rows, size_t width, size_t valid, int add, REAL *c, size_t ldc)
{
    REAL copy[SIMD_ROWS * PANEL];
    if (add)
        for (size_t r = 0; r < rows; r++)
            for (size_t i = 0; i < width; i++)
                copy[r * width + i] = i < valid ? c[r * ldc + i] : 0;
    call(panel->terms, panel->n_terms, row, add ? copy : panel->init, add ? width : 0, copy, width);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < valid; i++)
            c[r * ldc + i] = copy[r * width + i];
}

/* C [rows][columns] = init + sum of the terms. init: C itself if `add`, else the row `bias` for
 * each row, else (NULL) zero. `padded`: C's rows have room for whole vectors. */
static void NAME(product)(size_t rows, size_t columns, const NAME(term) * terms, size_t n_terms,
                          const REAL *bias, int add, int padded, REAL *c, size_t ldc)
{
    const int transposed = terms[0].a_k != 1;
    for (size_t j = 0, width; j < columns; j += width) {
        NAME(panel) panel;
        const size_t left = columns - j;
        const size_t vecs = left >= PANEL ? SIMD_VECS : (left + LANES - 1) / LANES;
        width = vecs * LANES;
        const size_t valid = left < width ? left : width;
        // the operands of this panel
        panel.n_terms = 0;
        for (size_t t = 0; t < n_terms; t++)
            NAME(panel_add)(&panel, &terms[t], j, width, valid, panel.edge[t]);
        for (size_t i = 0; i < width; i++)
            panel.init[i] = bias && i < valid ? bias[j + i] : 0;
        // all rows, a tile at a time
        for (size_t r = 0; r < rows; r += SIMD_ROWS) {
            const size_t n = rows - r < SIMD_ROWS ? rows - r : SIMD_ROWS;
            NAME(tile_call) *call = NAME(tiles)[transposed][vecs - 1][n - 1];
            REAL *to = c + r * ldc + j;
            if (valid < width && !padded)
                NAME(ragged_tile)(call, &panel, r, n, width, valid, add, to, ldc);
            else
                call(panel.terms, panel.n_terms, r, add ? to : panel.init, add ? ldc : 0, to, ldc);
        }
    }
}

/* ---- activations ---- */

/* tanh |x| = t / (t + 2) with t = e^y - 1, y = 2 |x|. With n = round(y / ln 2) and r = y - n ln 2,
 * t = 2^n (e^r - 1) + (2^n - 1), where e^r - 1 = r + r^2 q(r); q is the Chebyshev interpolant of
 * degree TANH_TERMS - 1 on |r| <= 0.35. ln 2 is split in two so that n TANH_LN2_HIGH is exact.
 * Adding TANH_MAGIC (1.5 2^mantissa) rounds to an integer and leaves it in the low bits, which a
 * shift turns into 2^n. No cancellation anywhere; the error is below 2 ulp. NaN stays NaN. */
static inline __attribute__((always_inline)) VEC NAME(tanh)(VEC x)
{
    static const REAL q[TANH_TERMS] = TANH_Q;
    const VEC zero = {0};
    const BITS sign = (BITS)x & ((BITS){0} + TANH_SIGN);
    const VEC limit = zero + (REAL)TANH_LIMIT;
    const VEC y = 2 * simd_min(limit, (VEC)((BITS)x ^ sign));
    const VEC magic = zero + (REAL)TANH_MAGIC;
    const VEC rounded = FMA(y, zero + (REAL)1.44269504088896340736, magic);
    const VEC n = rounded - magic;
    const VEC two_n = (VEC)(((BITS)rounded << TANH_MANTISSA) + TANH_ONE);
    VEC r = FMA(n, zero - (REAL)TANH_LN2_HIGH, y);
    r = FMA(n, zero - (REAL)TANH_LN2_LOW, r);
    VEC p = zero + q[TANH_TERMS - 1];
    UNROLL for (int i = TANH_TERMS - 2; i >= 0; i--) p = FMA(p, r, zero + q[i]);
    p = FMA(r * r, p, r);
    const VEC t = FMA(two_n, p, two_n - 1);
    return (VEC)((BITS)(t / (t + 2)) | sign);
}

/* h = act(h) for n elements, n a multiple of LANES. */
static void NAME(activate)(uint64_t activation, REAL *h, size_t n)
{
    if (activation == MLP_TANH)
        for (size_t i = 0; i < n; i += LANES)
            NAME(store)(h + i, NAME(tanh)(NAME(load)(h + i)));
    else if (activation == MLP_RELU)
        for (size_t i = 0; i < n; i += LANES)
            NAME(store)(h + i, simd_max((VEC){0}, NAME(load)(h + i)));
}

/* d = act'(z) d, written in h = act(z): tanh' = 1 - h^2, relu' = [h > 0]. */
static void NAME(differentiate)(uint64_t activation, const REAL *h, REAL *d, size_t n)
{
    if (activation == MLP_TANH)
        for (size_t i = 0; i < n; i += LANES) {
            const VEC hi = NAME(load)(h + i);
            NAME(store)(d + i, FMA(-hi, hi, (VEC){0} + 1) * NAME(load)(d + i));
        }
    else if (activation == MLP_RELU)
        for (size_t i = 0; i < n; i += LANES) {
            const BITS on = (BITS)(NAME(load)(h + i) > 0);
            NAME(store)(d + i, (VEC)((BITS)NAME(load)(d + i) & on));
        }
}

/* ---- the network ---- */

typedef struct NAME(workspace) {
    uint64_t *transposed_ready;
    REAL *transposed;
    REAL *scratch[2]; /* [chunk][max_ld] each */
    REAL *hidden;
} NAME(workspace);

static NAME(workspace) NAME(open)(const mlp_net *net, uint64_t batch, void *ws)
{
    const uint64_t chunk = batch < MLP_CHUNK ? batch : MLP_CHUNK;
    NAME(workspace) w;
    w.transposed_ready = ws;
    w.transposed = (REAL *)((char *)ws + 64);
    w.scratch[0] = w.transposed + net->n_transposed;
    w.scratch[1] = w.scratch[0] + chunk * net->max_ld;
    w.hidden = w.scratch[1] + chunk * net->max_ld;
    return w;
}

/* Where h of hidden layer l, row `row`, lies: the layers' arrays [B][ld] follow each other. */
static REAL *NAME(hidden)(const mlp_net *net, const NAME(workspace) * w, uint64_t l, uint64_t batch,
                          uint64_t row)
{
    return w->hidden + net->layer[l].hidden * batch + row * net->layer[l].ld;
}

/* The input of layer l as the A of a product: x for l = 0, else h of the layer below. */
static NAME(term) NAME(input_term)(const mlp_net *net, const NAME(workspace) * w, const REAL *x,
                                   uint64_t l, uint64_t batch, uint64_t row)
{
    NAME(term) term = {0};
    term.a = l == 0 ? x + row * net->n_in : NAME(hidden)(net, w, l - 1, batch, row);
    term.a_row = l == 0 ? net->n_in : net->layer[l - 1].ld;
    term.a_k = 1;
    term.n = net->layer[l].n_in;
    return term;
}

/* B of a term is the weight matrix of `layer` in theta or in a direction v. */
static void NAME(weights)(NAME(term) * term, const mlp_layer *layer, const REAL *theta)
{
    term->b = theta + layer->weight;
    term->ldb = layer->n_out;
    term->b_end = term->b + layer->n_in * layer->n_out;
}

/* Broadcasts the constants of theta (or v) into the last columns of y (or jv). */
static void NAME(constants)(const mlp_net *net, const REAL *theta, uint64_t batch, REAL *y)
{
    for (uint64_t b = 0; b < batch; b++)
        for (uint64_t i = 0; i < net->n_const; i++)
            y[(b + 1) * net->n_out - net->n_const + i] = theta[net->constants + i];
}

/* h_0 = x, h_{l+1} = act(h_l W_l + b_l), y = h_L W_L + b_L. */
static void NAME(forward)(const mlp_net *net, const void *theta_, const void *x, uint64_t batch,
                          void *y_, void *ws)
{
    const REAL *theta = theta_;
    REAL *y = y_;
    const NAME(workspace) w = NAME(open)(net, batch, ws);
    *w.transposed_ready = 0;
    for (uint64_t row = 0, n; row < batch; row += n) {
        n = batch - row < MLP_CHUNK ? batch - row : MLP_CHUNK;
        for (uint64_t l = 0; l < net->n_layers; l++) {
            const mlp_layer *layer = &net->layer[l];
            const int last = l + 1 == net->n_layers;
            REAL *out = last ? y + row * net->n_out : NAME(hidden)(net, &w, l, batch, row);
            NAME(term) term = NAME(input_term)(net, &w, x, l, batch, row);
            NAME(weights)(&term, layer, theta);
            NAME(product)
            (n, layer->n_out, &term, 1, theta + layer->bias, 0, !last, out,
             last ? net->n_out : layer->ld);
            if (!last)
                NAME(activate)(net->activation, out, n * layer->ld);
        }
    }
    NAME(constants)(net, theta, batch, y);
}

/* dz_l = h_l V_l + dh_l W_l + vb_l, dh_{l+1} = act'(z_l) dz_l, jv = dz_L; dh_0 = 0. */
static void NAME(jvp)(const mlp_net *net, const void *theta, const void *x, uint64_t batch,
                      void *ws, const void *v_, void *jv_)
{
    const REAL *v = v_;
    REAL *jv = jv_;
    const NAME(workspace) w = NAME(open)(net, batch, ws);
    for (uint64_t row = 0, n; row < batch; row += n) {
        n = batch - row < MLP_CHUNK ? batch - row : MLP_CHUNK;
        for (uint64_t l = 0; l < net->n_layers; l++) {
            const mlp_layer *layer = &net->layer[l];
            const int last = l + 1 == net->n_layers;
            REAL *out = last ? jv + row * net->n_out : w.scratch[l & 1];
            NAME(term) terms[2];
            terms[0] = NAME(input_term)(net, &w, x, l, batch, row);
            NAME(weights)(&terms[0], layer, v);
            terms[1] = terms[0];
            terms[1].a = w.scratch[(l + 1) & 1];
            NAME(weights)(&terms[1], layer, theta);
            NAME(product)
            (n, layer->n_out, terms, l == 0 ? 1 : 2, v + layer->bias, 0, !last, out,
             last ? net->n_out : layer->ld);
            if (!last)
                NAME(differentiate)
            (net->activation, NAME(hidden)(net, &w, l, batch, row), out, n * layer->ld);
        }
    }
    NAME(constants)(net, v, batch, jv);
}

/* W' of every layer but the first, rows padded with zeros to the ld of the layer below. */
static void NAME(transpose)(const mlp_net *net, const REAL *theta, REAL *transposed)
{
    for (uint64_t l = 1; l < net->n_layers; l++) {
        const mlp_layer *layer = &net->layer[l];
        const uint64_t ld = net->layer[l - 1].ld, n_out = layer->n_out;
        const REAL *from = theta + layer->weight;
        REAL *to = transposed + layer->transposed;
        memset(to, 0, n_out * ld * sizeof *to);
        // in blocks that fit the first-level cache
        for (uint64_t k0 = 0; k0 < layer->n_in; k0 += 16)
            for (uint64_t j = 0; j < n_out; j++)
                for (uint64_t k = k0; k < layer->n_in && k < k0 + 16; k++)
                    to[j * ld + k] = from[k * n_out + j];
    }
}

/* The rows of w without their constants, padded with zeros: dz of the last layer. */
static void NAME(seed)(const mlp_net *net, const REAL *w, uint64_t n, REAL *dz)
{
    const mlp_layer *layer = &net->layer[net->n_layers - 1];
    for (uint64_t b = 0; b < n; b++) {
        for (uint64_t j = 0; j < layer->n_out; j++)
            dz[b * layer->ld + j] = w[b * net->n_out + j];
        for (uint64_t j = layer->n_out; j < layer->ld; j++)
            dz[b * layer->ld + j] = 0;
    }
}

/* g += the gradient of layer l: h_l' dz and the column sums of dz, rows in order. */
static void NAME(layer_gradient)(const mlp_layer *layer, NAME(term) input, uint64_t n,
                                 const REAL *dz, REAL *g)
{
    NAME(term) term = {0};
    term.a = input.a;
    term.a_row = 1;
    term.a_k = input.a_row;
    term.b = dz;
    term.ldb = layer->ld;
    term.n = n;
    NAME(product)(layer->n_in, layer->n_out, &term, 1, NULL, 1, 0, g + layer->weight, layer->n_out);
    for (uint64_t b = 0; b < n; b++)
        for (uint64_t j = 0; j < layer->n_out; j++)
            g[layer->bias + j] += dz[b * layer->ld + j];
}

/* dz_L = w; gW_l = h_l' dz_l, gb_l = sum dz_l, dh_l = dz_l W_l', dz_{l-1} = act'(z_{l-1}) dh_l. */
static void NAME(vjp)(const mlp_net *net, const void *theta, const void *x, uint64_t batch,
                      void *ws, const void *w_, void *g_)
{
    const REAL *w = w_;
    REAL *g = g_;
    const NAME(workspace) s = NAME(open)(net, batch, ws);
    if (!*s.transposed_ready) {
        NAME(transpose)(net, theta, s.transposed);
        *s.transposed_ready = 1;
    }
    for (uint64_t i = 0; i < net->n_params; i++)
        g[i] = 0;
    for (uint64_t row = 0, n; row < batch; row += n) {
        n = batch - row < MLP_CHUNK ? batch - row : MLP_CHUNK;
        NAME(seed)(net, w + row * net->n_out, n, s.scratch[(net->n_layers - 1) & 1]);
        for (uint64_t l = net->n_layers; l-- > 0;) {
            const mlp_layer *layer = &net->layer[l];
            const REAL *dz = s.scratch[l & 1];
            REAL *below = s.scratch[(l + 1) & 1];
            NAME(layer_gradient)(layer, NAME(input_term)(net, &s, x, l, batch, row), n, dz, g);
            if (l == 0)
                break;
            NAME(term)
            term = {dz,           layer->ld, 1,           s.transposed + layer->transposed,
                    layer[-1].ld, NULL,      layer->n_out};
            NAME(product)(n, layer->n_in, &term, 1, NULL, 0, 1, below, layer[-1].ld);
            NAME(differentiate)
            (net->activation, NAME(hidden)(net, &s, l - 1, batch, row), below, n * layer[-1].ld);
        }
    }
    for (uint64_t b = 0; b < batch; b++)
        for (uint64_t i = 0; i < net->n_const; i++)
            g[net->constants + i] += w[(b + 1) * net->n_out - net->n_const + i];
}

#undef LANES
#undef PANEL
#undef MAX_TERMS
