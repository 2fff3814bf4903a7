/* SPDX-License-Identifier: MIT
 *
 * The gamma function's relatives, and the Beta distribution in log-odds, for the Beta head. All
 * arguments alpha, beta, z are at least 1 (the Beta head has no others).
 */
#ifndef TRPO_DIST_SPECIAL_H
#define TRPO_DIST_SPECIAL_H

/* psi(z) = d log Gamma(z) / dz; absolute error below 4e-15 (1 + |psi|). */
double tb_digamma(double z);

/* psi'(z) - 1/z, which is positive and about 1 / (2 z^2): what is left of the trigamma function
 * where its leading parts cancel. Relative error below 1e-13. */
double tb_trigamma_excess(double z);

/* log B(alpha, beta); absolute error below 1e-14 (1 + |log B|), also for large arguments. */
double tb_log_beta(double alpha, double beta);

/* log P(X <= x) for X ~ Beta(alpha, beta) at log-odds t = log(x / (1 - x)): the logarithm of the
 * regularised incomplete beta function. *slope (may be NULL) gets its derivative by t. Finite for
 * every finite t, also where P itself would be rounded to 0. */
double tb_beta_log_cdf(double alpha, double beta, double t, double *slope);

/* Log-odds of the p-quantile of Beta(alpha, beta), p in (0, 1/2]. The upper tail is the lower one
 * of Beta(beta, alpha), negated: so no digit is lost at either end. */
double tb_beta_quantile(double alpha, double beta, double p);

#endif
