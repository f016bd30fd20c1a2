#pragma once

/// What the check by Kirchhoff's law does for each row of an array, compiled once per instruction
/// set (core/isa.hpp). Written without the ladders' recursions.

namespace xbar::solver {

/// Over one row of nodes.
struct RowBalance {
  double worst_wordline = 0;  ///< largest |net current| into u(i,j)
  double worst_bitline = 0;   ///< and into w(i,j)
  double largest_cell = 0;    ///< largest |cell current|
  double most_siemens = 0;    ///< largest conductance of a cell
  double check = 0;           ///< sum of the cell currents: NaN or infinite with any voltage
};

}  // namespace xbar::solver

#define XBAR_DECLARE_ROW_KERNELS                                                                  \
  /* out = (x - y) * siemens, of each column or, with each null, the same */                      \
  void row_currents(long n, const double* x, const double* y, const double* each, double siemens, \
                    double* out);                                                                 \
  /* right: n + 1 currents before and behind each u; above, below: into and out of each w */      \
  RowBalance row_balance(long n, const double* G, const double* u, const double* w,               \
                         const double* right, const double* above, const double* below);          \
  /* current += G (u - w), siemens += G, of each column */                                        \
  void add_row(long n, const double* G, const double* u, const double* w, double* current,        \
               double* siemens);

namespace xbar::solver {
namespace baseline {
XBAR_DECLARE_ROW_KERNELS
}
#if defined(__x86_64__)
namespace avx2 {
XBAR_DECLARE_ROW_KERNELS
}
namespace avx512 {
XBAR_DECLARE_ROW_KERNELS
}
#endif
}  // namespace xbar::solver
