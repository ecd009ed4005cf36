/* lapack.h -- the LAPACK routines that we use, for float32 and float64, declared by ourselves (Debian's OpenBLAS
** has no LAPACKE).
**
** Matrices are LAPACK's: columns contiguous.  A contiguous tensor (..., M, N) is the transposed matrix to LAPACK,
** N x M; most callers use that instead of transposing (the LQ factors of A^T are the QR factors of A, and so on).
** All calls stand between blas_enter and blas_leave; inputs must be finite, since some routines never end on NaN.
** Each function returns LAPACK's info (0: done; k > 0: as said below) or one of the codes here.  Workspace comes
** from the context. */
#ifndef PERILUNE_LAPACK_H
#define PERILUNE_LAPACK_H

#include "op.h"

enum { LAPACK_NO_MEMORY = -1000, LAPACK_TOO_LARGE = -1001 };

/* a (n x n) symmetric positive definite, its upper triangle read: becomes U with U^T U = a; the rest stays.
** k > 0: the leading minor of order k is not positive. */
int lapack_potrf(dtype d, int n, void *a);
/* a triangular (n x n), upper: becomes its inverse.  k > 0: item k of the diagonal is zero. */
int lapack_trtri(dtype d, int n, void *a);
/* a (n x n) becomes P L U; pivot (n).  k > 0: pivot k is zero, the factors are complete. */
int lapack_getrf(dtype d, int n, void *a, int *pivot);
/* a from getrf: becomes the inverse. */
int lapack_getri(context *c, dtype d, int n, void *a, int *pivot);
/* a from getrf: b (n x n_right) becomes the solution of a x = b, or of a^T x = b. */
int lapack_getrs(dtype d, bool transposed, int n, int n_right, void *a, int *pivot, void *b);
/* a (m x n) becomes L and the reflectors of Q; tau (min(m, n)). */
int lapack_gelqf(context *c, dtype d, int m, int n, void *a, void *tau);
/* The same within a parallel_body: work, the tau among it, is n_work = lapack_gelqf_work(m) numbers. */
int lapack_gelqf_in(dtype d, int m, int n, void *a, void *work, int n_work);
int64_t lapack_gelqf_work(int64_t m);
/* a (m x n), m <= n, the first k rows from gelqf: becomes the first m rows of Q. */
int lapack_orglq(context *c, dtype d, int m, int n, int k, void *a, void *tau);
/* a (n x n) symmetric, its upper triangle read: w (n) ascending, and a the eigenvectors, one a column.
** k > 0: did not converge. */
int lapack_syevd(context *c, dtype d, bool vectors, int n, void *a, void *w);
/* a (n x n) of float64, symmetric, its lower triangle read, is destroyed: the k largest eigenvalues w (k) ascending,
** and their eigenvectors z (n x k).  Info > 0: an internal failure. */
int lapack_syev_largest(context *c, int n, int k, double *a, double *w, double *z);
/* a (m x n) is destroyed.  job 'N': s alone; 'S': u (m x k), vt (k x n), k = min(m, n); 'A': u (m x m), vt (n x n).
** k > 0: did not converge. */
int lapack_gesdd(context *c, dtype d, char job, int m, int n, void *a, void *s, void *u, void *vt);
/* a (m x n) is destroyed; b (max(m, n) x n_right): right sides in, least-norm solutions out.  Singular values below
** rcond times the largest count as zero.  k > 0: did not converge. */
int lapack_gelsd(context *c, dtype d, int m, int n, int n_right, void *a, void *b, double rcond);

/* -- for the operations -- */

/* Input i is float, has at least two dims (square ones, if so asked) of sizes that LAPACK can take, and is finite. */
status lapack_require(op_call *call, int i, bool square);
status lapack_require_finite(op_call *call, int i);
/* The number of matrices in t (..., M, N). */
int64_t lapack_batch(const tensor *t);
/* Matrix i of a contiguous t (..., M, N), or vector i of a contiguous t (..., K) with n items each. */
void *lapack_member(const tensor *t, int64_t i, int64_t n_items);
/* A contiguous copy, of t or of t with its last two dims exchanged. */
tensor *lapack_copy(context *c, tensor *t);
tensor *lapack_copy_transposed(context *c, tensor *t);
/* A contiguous copy of (t + t^T) / 2. */
tensor *lapack_copy_symmetric(context *c, tensor *t);
/* Makes the item of largest magnitude (the first of equals) positive, of n items `stride` apart; true: all negated.
** Fixes the signs of singular and eigenvectors, which depend on the build of LAPACK otherwise. */
bool lapack_fix_sign(dtype d, void *items, int64_t n, int64_t stride);
void lapack_negate(dtype d, void *items, int64_t n, int64_t stride);
/* t (float64, contiguous) has no item but zeros. */
bool lapack_is_zero(const tensor *t);
/* The message for a code from above: `problem` says what info k > 0 means, with one %d for k.  Adds the number of the
** matrix when there are several. */
status lapack_failed(op_call *call, int info, int64_t i, int64_t n_batch, const char *problem);
/* For operations without a backward (needs_gradient is false there): an input that wants one is an error. */
status lapack_refuse_gradient(op_call *call);

#endif
