#include "cholmod_opponent.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <cholmod.h>
#include <dlfcn.h>

namespace xbar_bench {
namespace {

using xbar::Index;
using xbar::Matrix;
using xbar::WireResistance;

// Calls branch(from, to, siemens) for what joins two nodes and ground(node, siemens) for what joins
// a node to its terminal, in T's precision.
template <typename T, typename Branch, typename Ground>
void for_each_branch(const Matrix& conductance, const WireResistance& wires, const Branch& branch,
                     const Ground& ground) {
  const Index m = conductance.rows();
  const Index n = conductance.cols();
  const Index cells = m * n;
  for (Index i = 0; i < m; ++i) {
    for (Index j = 0; j < n; ++j) {
      const Index node = i * n + j;
      branch(node, cells + node, T(conductance(i, j)));
      if (j + 1 < n) branch(node, node + 1, T(1) / T(wires.wordline_ohm));
      if (i + 1 < m) branch(cells + node, cells + node + n, T(1) / T(wires.bitline_ohm));
    }
  }
  for (Index i = 0; i < m; ++i) ground(i * n, T(1) / T(wires.source_ohm));
  for (Index j = 0; j < n; ++j) ground(2 * cells - n + j, T(1) / T(wires.sink_ohm));
}

struct Setting {
  CholmodSetting setting;
  const char* name;
  int supernodal;
  int ordering;
};
constexpr Setting all_settings[] = {
    {CholmodSetting::simplicial_amd, "simplicial-amd", CHOLMOD_SIMPLICIAL, CHOLMOD_AMD},
    {CholmodSetting::simplicial_nesdis, "simplicial-nesdis", CHOLMOD_SIMPLICIAL, CHOLMOD_NESDIS},
    {CholmodSetting::supernodal_amd, "supernodal-amd", CHOLMOD_SUPERNODAL, CHOLMOD_AMD},
    {CholmodSetting::supernodal_nesdis, "supernodal-nesdis", CHOLMOD_SUPERNODAL, CHOLMOD_NESDIS},
};

const Setting& details(CholmodSetting setting) {
  return *std::find_if(std::begin(all_settings), std::end(all_settings),
                       [&](const Setting& one) { return one.setting == setting; });
}

}  // namespace

struct CholmodOpponent::Cholmod {
  Cholmod() { cholmod_start(&common); }
  Cholmod(const Cholmod&) = delete;
  Cholmod& operator=(const Cholmod&) = delete;
  ~Cholmod() {
    cholmod_free_factor(&factor, &common);
    cholmod_free_sparse(&matrix, &common);
    cholmod_free_dense(&right_hand_side, &common);
    cholmod_free_dense(&solution, &common);
    cholmod_free_dense(&workspace_y, &common);
    cholmod_free_dense(&workspace_e, &common);
    cholmod_finish(&common);
  }
  void check(const char* step) const {
    if (common.status == CHOLMOD_OK) return;
    throw std::runtime_error(std::string("CHOLMOD: ") + step + " failed with status " +
                             std::to_string(common.status));
  }

  cholmod_common common{};
  cholmod_sparse* matrix = nullptr;
  cholmod_factor* factor = nullptr;
  // Kept from one solve to the next.
  cholmod_dense* right_hand_side = nullptr;
  cholmod_dense* solution = nullptr;
  cholmod_dense* workspace_y = nullptr;
  cholmod_dense* workspace_e = nullptr;
};

std::span<const CholmodSetting> cholmod_settings() {
  static const std::vector<CholmodSetting> available = [] {
    std::vector<CholmodSetting> found;
    for (const Setting& one : all_settings) {
      try {
        CholmodOpponent tiny(Matrix::Ones(2, 2), {1, 1, 1, 1}, one.setting);
        tiny.analyze();
        tiny.factor();
        found.push_back(one.setting);
      } catch (const std::runtime_error&) {
        // Built without this part: the others remain.
      }
    }
    return found;
  }();
  return available;
}

const char* setting_name(CholmodSetting setting) { return details(setting).name; }

const char* use_one_blas_thread() {
  const auto function = [](const char* name) { return dlsym(RTLD_DEFAULT, name); };
  const auto set_threads = reinterpret_cast<void (*)(int)>(function("openblas_set_num_threads"));
  const auto config = reinterpret_cast<const char* (*)()>(function("openblas_get_config"));
  if (set_threads == nullptr || config == nullptr) return "unknown; its threads are as it likes";
  set_threads(1);
  return config();
}

CholmodOpponent::CholmodOpponent(Matrix conductance, const WireResistance& wires,
                                 CholmodSetting setting)
    : conductance_(std::move(conductance)), wires_(wires), cholmod_(std::make_unique<Cholmod>()) {
  Cholmod& c = *cholmod_;
  c.common.supernodal = details(setting).supernodal;
  c.common.nmethods = 1;
  c.common.method[0].ordering = details(setting).ordering;
  c.common.postorder = 1;
  c.common.print = 0;
  c.common.try_catch = 1;
  const auto unknowns = static_cast<std::size_t>(2 * conductance_.size());
  // Each unknown has an entry on the diagonal and at most two in its column above it.
  cholmod_triplet* entries =
      cholmod_allocate_triplet(unknowns, unknowns, 3 * unknowns, 1, CHOLMOD_REAL, &c.common);
  c.check("allocation");
  std::vector<double> diagonal(unknowns, 0.0);
  const auto add = [&](Index row, Index column, double value) {
    static_cast<int*>(entries->i)[entries->nnz] = static_cast<int>(row);
    static_cast<int*>(entries->j)[entries->nnz] = static_cast<int>(column);
    static_cast<double*>(entries->x)[entries->nnz] = value;
    ++entries->nnz;
  };
  const auto ground = [&](Index node, double siemens) {
    diagonal[static_cast<std::size_t>(node)] += siemens;
  };
  for_each_branch<double>(
      conductance_, wires_,
      [&](Index from, Index to, double siemens) {
        ground(from, siemens);
        ground(to, siemens);
        add(from, to, -siemens);
      },
      ground);
  for (std::size_t e = 0; e < unknowns; ++e) {
    add(static_cast<Index>(e), static_cast<Index>(e), diagonal[e]);
  }
  c.matrix = cholmod_triplet_to_sparse(entries, 0, &c.common);
  cholmod_free_triplet(&entries, &c.common);
  c.check("assembly");
}

CholmodOpponent::~CholmodOpponent() = default;

void CholmodOpponent::analyze() {
  Cholmod& c = *cholmod_;
  cholmod_free_factor(&c.factor, &c.common);
  c.factor = cholmod_analyze(c.matrix, &c.common);
  c.check("analysis");
}

void CholmodOpponent::factor() {
  Cholmod& c = *cholmod_;
  cholmod_factorize(c.matrix, c.factor, &c.common);
  c.check("factorisation");
}

// Solves for the first `columns` columns of the right-hand side.
void CholmodOpponent::solve_in_place(Index columns) {
  Cholmod& c = *cholmod_;
  cholmod_dense part = *c.right_hand_side;
  part.ncol = static_cast<std::size_t>(columns);
  part.nzmax = part.ncol * part.d;
  cholmod_solve2(CHOLMOD_A, c.factor, &part, nullptr, &c.solution, nullptr, &c.workspace_y,
                 &c.workspace_e, &c.common);
  c.check("solve");
}

Matrix CholmodOpponent::solve(const Matrix& voltage, Index together) {
  Cholmod& c = *cholmod_;
  const Index m = conductance_.rows();
  const Index n = conductance_.cols();
  const auto unknowns = static_cast<std::size_t>(2 * m * n);
  const double source = 1 / wires_.source_ohm;
  const double sink = 1 / wires_.sink_ohm;
  const Index width = std::min(together, voltage.cols());
  if (c.right_hand_side == nullptr || c.right_hand_side->ncol != static_cast<std::size_t>(width)) {
    cholmod_free_dense(&c.right_hand_side, &c.common);
    c.right_hand_side =
        cholmod_zeros(unknowns, static_cast<std::size_t>(width), CHOLMOD_REAL, &c.common);
    c.check("allocation");
  }
  Matrix current(n, voltage.cols());
  for (Index first = 0; first < voltage.cols(); first += width) {
    const Index columns = std::min(width, voltage.cols() - first);
    // Only the nodes at the sources have entries, so those of the last call are overwritten.
    auto* const right_hand_side = static_cast<double*>(c.right_hand_side->x);
    for (Index k = 0; k < columns; ++k) {
      for (Index i = 0; i < m; ++i) {
        right_hand_side[k * 2 * m * n + i * n] = source * voltage(i, first + k);
      }
    }
    solve_in_place(columns);
    const auto* const x = static_cast<const double*>(c.solution->x);
    for (Index k = 0; k < columns; ++k) {
      const double* const last_row = x + (k + 1) * 2 * m * n - n;
      for (Index j = 0; j < n; ++j) current(j, first + k) = sink * last_row[j];
    }
  }
  return current;
}

Matrix CholmodOpponent::reference(const Matrix& voltage) {
  Cholmod& c = *cholmod_;
  const Index m = conductance_.rows();
  const Index n = conductance_.cols();
  const auto unknowns = static_cast<std::size_t>(2 * m * n);
  const long double source = 1.0L / static_cast<long double>(wires_.source_ohm);
  cholmod_free_dense(&c.right_hand_side, &c.common);
  c.right_hand_side = cholmod_zeros(unknowns, 1, CHOLMOD_REAL, &c.common);
  c.check("allocation");
  auto* const right_hand_side = static_cast<double*>(c.right_hand_side->x);

  Matrix current(n, voltage.cols());
  std::vector<long double> x(unknowns);
  std::vector<long double> net(unknowns);
  for (Index k = 0; k < voltage.cols(); ++k) {
    std::fill(x.begin(), x.end(), 0.0L);
    // Each pass gains at least three digits as long as the condition number is below 1e13; until
    // nothing changes in the 19 digits of x, or at most to where it no longer could.
    constexpr int most_passes = 12;
    for (int pass = 0; pass < most_passes; ++pass) {
      std::fill(net.begin(), net.end(), 0.0L);
      for (Index i = 0; i < m; ++i) {
        net[static_cast<std::size_t>(i * n)] = source * static_cast<long double>(voltage(i, k));
      }
      for_each_branch<long double>(
          conductance_, wires_,
          [&](Index from, Index to, long double siemens) {
            const auto a = static_cast<std::size_t>(from);
            const auto b = static_cast<std::size_t>(to);
            const long double flow = siemens * (x[a] - x[b]);
            net[a] -= flow;
            net[b] += flow;
          },
          [&](Index node, long double siemens) {
            const auto a = static_cast<std::size_t>(node);
            net[a] -= siemens * x[a];
          });
      std::transform(net.begin(), net.end(), right_hand_side,
                     [](long double value) { return static_cast<double>(value); });
      solve_in_place(1);
      const auto* const step = static_cast<const double*>(c.solution->x);
      double largest = 0;
      double largest_step = 0;
      for (std::size_t e = 0; e < unknowns; ++e) {
        x[e] += static_cast<long double>(step[e]);
        largest = std::max(largest, std::abs(static_cast<double>(x[e])));
        largest_step = std::max(largest_step, std::abs(step[e]));
      }
      constexpr double goal = 1e-18;
      if (largest_step <= goal * largest) break;
    }
    for (Index j = 0; j < n; ++j) {
      const auto node = unknowns - static_cast<std::size_t>(n - j);
      current(j, k) = static_cast<double>(x[node] / static_cast<long double>(wires_.sink_ohm));
    }
  }
  return current;
}

double CholmodOpponent::factor_bytes() const {
  const cholmod_factor& f = *cholmod_->factor;
  // Simplicial factors carry a row index with each value.
  return f.is_super != 0 ? 8.0 * static_cast<double>(f.xsize) : 12.0 * cholmod_->common.lnz;
}

double CholmodOpponent::peak_bytes() const {
  return static_cast<double>(cholmod_->common.memory_usage);
}

}  // namespace xbar_bench
