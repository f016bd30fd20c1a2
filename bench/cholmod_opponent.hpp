#pragma once

/// The opponent of bench_solver: the nodal matrix of a wired array given to CHOLMOD as it is, at
/// whichever of CHOLMOD's settings is fastest.
///
/// CHOLMOD's supernodal part is GPL. xbar does not call it (docs/adr/0004-licence.md); this program
/// does, to give CHOLMOD its best, and is neither installed nor distributed.

#include <memory>
#include <span>

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>

namespace xbar_bench {

/// A factorisation (simplicial is LDL^T row by row, supernodal LL^T by dense blocks) and an order
/// of elimination (nesdis is CHOLMOD's nested dissection, with METIS; METIS's own is slower here).
enum class CholmodSetting { simplicial_amd, simplicial_nesdis, supernodal_amd, supernodal_nesdis };

/// Those that the CHOLMOD at hand was built with.
[[nodiscard]] std::span<const CholmodSetting> cholmod_settings();

[[nodiscard]] const char* setting_name(CholmodSetting setting);

/// Keeps CHOLMOD's BLAS to one thread where it is OpenBLAS, whose threads OpenMP does not count.
/// @return the BLAS, as far as it tells
const char* use_one_blas_thread();

/// One array, driven at the left and sensed at the bottom, all resistances positive. The unknowns
/// are the 2mn nodes: u(i,j) is i n + j, w(i,j) comes mn later.
class CholmodOpponent {
 public:
  CholmodOpponent(xbar::Matrix conductance, const xbar::WireResistance& wires,
                  CholmodSetting setting);
  ~CholmodOpponent();
  CholmodOpponent(const CholmodOpponent&) = delete;
  CholmodOpponent& operator=(const CholmodOpponent&) = delete;

  /// The symbolic analysis; forgets the factor.
  void analyze();
  /// The numeric factorisation: the first one after analyze() also gets its memory.
  void factor();
  /// Currents into the sinks, n x p, for input vectors V, m x p, `together` at a time.
  [[nodiscard]] xbar::Matrix solve(const xbar::Matrix& voltage, xbar::Index together);
  /// The same by iterative refinement in extended precision, from the branches instead of the
  /// matrix: what all errors are measured against.
  [[nodiscard]] xbar::Matrix reference(const xbar::Matrix& voltage);

  /// Bytes that the factor will take, known after analyze().
  [[nodiscard]] double factor_bytes() const;
  /// Most bytes that CHOLMOD has held so far.
  [[nodiscard]] double peak_bytes() const;

 private:
  struct Cholmod;

  void solve_in_place(xbar::Index columns);

  xbar::Matrix conductance_;
  xbar::WireResistance wires_;
  std::unique_ptr<Cholmod> cholmod_;
};

}  // namespace xbar_bench
