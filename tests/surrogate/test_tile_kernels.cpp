#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include <xbar/core/isa.hpp>
#include <xbar/solver/effective_conductance.hpp>
#include <xbar/solver/solve.hpp>

#include "kernels/tile_kernels.hpp"
#include "support/arrays.hpp"
#include "support/catch.hpp"
#include "support/dense_reference.hpp"

using xbar::Index;
using xbar::Isa;
using xbar::Matrix;
using xbar::Vector;
using xbar::WireResistance;
using xbar_test::random_matrix;
using xbar_test::relative_error;

namespace surrogate = xbar::surrogate;

namespace {

// Double: roundings along the lines, and the solver's 1e-12 where it is the reference.
// Float: 1 + r Y(k) of a good wire is rounded at each of 100 nodes, by 3e-8 in the mean.
template <typename Real>
constexpr double tolerance = sizeof(Real) == sizeof(float) ? 3e-6 : 1e-12;

// Every kernel of one instruction set.
template <typename Real>
struct Kernels {
  std::string name;
  decltype(&surrogate::baseline::ladder_tile<Real>) ladder;
  decltype(&surrogate::baseline::ladder_gradient_tile<Real>) ladder_gradient;
  decltype(&surrogate::baseline::field_tile<Real>) field;
  decltype(&surrogate::baseline::sneak_tile<Real>) sneak;
  decltype(&surrogate::baseline::sneak_gradient_tile<Real>) sneak_gradient;
};

#define XBAR_KERNELS_OF(isa)                                                                   \
  Kernels<Real> {                                                                              \
#isa, &surrogate::isa::ladder_tile < Real>, &surrogate::isa::ladder_gradient_tile < Real>, \
        &surrogate::isa::field_tile < Real>, &surrogate::isa::sneak_tile < Real>,              \
        &surrogate::isa::sneak_gradient_tile < Real>                                           \
  }

// Of all instruction sets that run here.
template <typename Real>
std::vector<Kernels<Real>> all_kernels() {
  std::vector<Kernels<Real>> all{XBAR_KERNELS_OF(baseline)};
#if defined(__x86_64__)
  if (xbar::isa() >= Isa::avx2) all.push_back(XBAR_KERNELS_OF(avx2));
  if (xbar::isa() >= Isa::avx512) all.push_back(XBAR_KERNELS_OF(avx512));
#endif
  return all;
}

template <typename Real>
surrogate::FieldLimit<Real> tight() {
  return {sizeof(Real) == sizeof(float) ? Real(1e-7) : Real(1e-14), 1000};
}

template <typename Real>
surrogate::LineOhm<Real> ohm(const WireResistance& wires) {
  return {static_cast<Real>(wires.source_ohm), static_cast<Real>(wires.sink_ohm),
          static_cast<Real>(wires.wordline_ohm), static_cast<Real>(wires.bitline_ohm)};
}

template <typename Real>
std::vector<Real> flat(const Matrix& x) {
  std::vector<Real> values(static_cast<std::size_t>(x.size()));
  std::transform(x.data(), x.data() + x.size(), values.begin(),
                 [](double v) { return static_cast<Real>(v); });
  return values;
}

template <typename Real>
Matrix matrix(Index m, Index n, const std::vector<Real>& x) {
  Matrix values(m, n);
  std::copy(x.begin(), x.end(), values.data());
  return values;
}

// What reads of forgotten memory would show.
template <typename Real>
std::vector<Real> scratch(long elements) {
  return std::vector<Real>(static_cast<std::size_t>(elements), Real(__builtin_nan("")));
}

template <typename Real>
struct Run {
  const Kernels<Real>& kernels;
  Matrix conductance;
  WireResistance wires;
  [[nodiscard]] Index m() const { return conductance.rows(); }
  [[nodiscard]] Index n() const { return conductance.cols(); }

  [[nodiscard]] Matrix ladder(const Matrix* factor = nullptr) const {
    auto memory = scratch<Real>(surrogate::ladder_scratch(m(), n()));
    const auto g = flat<Real>(conductance);
    const auto k = factor != nullptr ? flat<Real>(*factor) : std::vector<Real>{};
    std::vector<Real> out(g.size());
    kernels.ladder(m(), n(), g.data(), factor != nullptr ? k.data() : nullptr, ohm<Real>(wires),
                   memory.data(), out.data());
    return matrix(m(), n(), out);
  }
  [[nodiscard]] Matrix ladder_gradient(const Matrix* factor, const Matrix& cotangent) const {
    auto memory = scratch<Real>(surrogate::field_scratch(m(), n()));
    const auto g = flat<Real>(conductance);
    const auto c = flat<Real>(cotangent);
    const auto k = factor != nullptr ? flat<Real>(*factor) : std::vector<Real>{};
    std::vector<Real> out(g.size());
    kernels.ladder_gradient(m(), n(), g.data(), factor != nullptr ? k.data() : nullptr,
                            ohm<Real>(wires), c.data(), memory.data(), out.data());
    return matrix(m(), n(), out);
  }
  [[nodiscard]] std::pair<Matrix, Matrix> field(const Vector* inputs) const {
    auto memory = scratch<Real>(surrogate::field_scratch(m(), n()));
    const auto g = flat<Real>(conductance);
    const auto v = inputs != nullptr ? flat<Real>(*inputs) : std::vector<Real>{};
    std::vector<Real> u(g.size());
    std::vector<Real> w(g.size());
    kernels.field(m(), n(), g.data(), inputs != nullptr ? v.data() : nullptr, ohm<Real>(wires),
                  tight<Real>(), memory.data(), u.data(), w.data());
    return {matrix(m(), n(), u), matrix(m(), n(), w)};
  }
  [[nodiscard]] long field_steps(double field_tolerance) const {
    auto memory = scratch<Real>(surrogate::field_scratch(m(), n()));
    const auto g = flat<Real>(conductance);
    std::vector<Real> u(g.size());
    std::vector<Real> w(g.size());
    return kernels.field(m(), n(), g.data(), nullptr, ohm<Real>(wires),
                         {static_cast<Real>(field_tolerance), 1000}, memory.data(), u.data(),
                         w.data());
  }
  [[nodiscard]] Matrix sneak() const {
    auto memory = scratch<Real>(surrogate::field_scratch(m(), n()));
    const auto g = flat<Real>(conductance);
    std::vector<Real> out(g.size());
    kernels.sneak(m(), n(), g.data(), ohm<Real>(wires), tight<Real>(), memory.data(), out.data());
    return matrix(m(), n(), out);
  }
  [[nodiscard]] Matrix sneak_gradient(const Matrix& cotangent) const {
    auto memory = scratch<Real>(surrogate::field_scratch(m(), n()));
    const auto g = flat<Real>(conductance);
    const auto c = flat<Real>(cotangent);
    std::vector<Real> out(g.size());
    kernels.sneak_gradient(m(), n(), g.data(), ohm<Real>(wires), tight<Real>(), c.data(),
                           memory.data(), out.data());
    return matrix(m(), n(), out);
  }
};

// Each side of, and far from, the widths of registers and of sets of lanes.
constexpr std::pair<Index, Index> shapes[] = {{1, 1},   {1, 5},   {5, 1},   {2, 3},  {7, 9},
                                              {16, 16}, {17, 33}, {48, 31}, {64, 64}};
// source, sink, wordline, bitline
constexpr WireResistance wirings[] = {{100, 100, 1, 1}, {1000, 1000, 10, 10}, {0, 0, 2, 3},
                                      {50, 60, 0, 0},   {0, 70, 3, 0},        {50, 0, 0, 2},
                                      {200, 0, 5, 0},   {0, 150, 0, 7},       {0, 0, 0, 0}};

// One cell in five open, and a line without any.
Matrix random_cells(Index m, Index n, std::uint64_t seed) {
  const Matrix draws = random_matrix(m, n, 0, 1, seed + 1000);
  Matrix cells = random_matrix(m, n, 5e-6, 2e-4, seed);
  for (Index e = 0; e < cells.size(); ++e) {
    if (draws.data()[e] < 0.2) cells.data()[e] = 0;
  }
  if (m > 4 && n > 4) {
    cells.row(2).setZero();
    cells.col(3).setZero();
  }
  // Floats hold the same.
  return cells.cast<float>().cast<double>();
}

// kernel by kernel, shape by shape: body(run, seed).
template <typename Real, typename Body>
void for_all(const Body& body) {
  for (const auto& kernels : all_kernels<Real>()) {
    std::uint64_t seed = 0;
    for (const auto& [m, n] : shapes) {
      for (const WireResistance& wires : wirings) {
        ++seed;
        CAPTURE(kernels.name, sizeof(Real), m, n, wires.source_ohm, wires.sink_ohm,
                wires.wordline_ohm, wires.bitline_ohm);
        body(Run<Real>{kernels, random_cells(m, n, seed), wires}, seed);
      }
    }
  }
}

// a along each wordline of these cells, node by node: series and parallel resistors.
Matrix wordline_factors(const Matrix& cells, double terminal, double segment) {
  Matrix a(cells.rows(), cells.cols());
  for (Index i = 0; i < cells.rows(); ++i) {
    Vector beyond(cells.cols());  // conductance from node j on
    double seen = 0;
    for (Index j = cells.cols(); j-- > 0;) {
      seen = cells(i, j) + seen / (1 + segment * seen);
      beyond(j) = seen;
    }
    double u = 1 / (1 + terminal * seen);
    for (Index j = 0; j < cells.cols(); ++j) {
      if (j > 0) u /= 1 + segment * beyond(j);
      a(i, j) = u;
    }
  }
  return a;
}

Matrix plain_ladder(const Matrix& conductance, const Matrix& factor, const WireResistance& wires) {
  const Matrix a =
      wordline_factors(conductance.cwiseProduct(factor), wires.source_ohm, wires.wordline_ohm);
  const Matrix turned = conductance.colwise().reverse().transpose();
  const Matrix b = wordline_factors(turned, wires.sink_ohm, wires.bitline_ohm);
  return a.cwiseProduct(conductance).cwiseProduct(Matrix(b.transpose()).colwise().reverse());
}

// d(sum C E(G))/dG(e) by a difference across 2e-3 of a typical cell; its own error is 1e-6 of it.
template <typename Effective>
double central_difference(const Matrix& conductance, const Matrix& cotangent, Index e,
                          const Effective& effective) {
  constexpr double h = 1e-7;
  Matrix moved = conductance;
  moved.data()[e] += h;
  const double above = cotangent.cwiseProduct(effective(moved)).sum();
  moved.data()[e] -= 2 * h;
  return (above - cotangent.cwiseProduct(effective(moved)).sum()) / (2 * h);
}

}  // namespace

TEMPLATE_TEST_CASE("surrogate/tile-kernels: the ladder is the textbook's", "[surrogate]", float,
                   double) {
  for_all<TestType>([](const Run<TestType>& run, std::uint64_t seed) {
    const Matrix factor = random_matrix(run.m(), run.n(), 0.5, 1, seed + 7);
    const Matrix ones = Matrix::Ones(run.m(), run.n());
    REQUIRE(relative_error(run.ladder(), plain_ladder(run.conductance, ones, run.wires)) <=
            tolerance<TestType>);
    REQUIRE(relative_error(run.ladder(&factor), plain_ladder(run.conductance, factor, run.wires)) <=
            tolerance<TestType>);
  });
}

TEMPLATE_TEST_CASE("surrogate/tile-kernels: the fields are the solver's", "[surrogate]", float,
                   double) {
  for_all<TestType>([](const Run<TestType>& run, std::uint64_t seed) {
    const Vector inputs = random_matrix(run.m(), 1, 0, 1, seed + 8).col(0);
    const Vector ones = Vector::Ones(run.m());
    for (const Vector* given : {static_cast<const Vector*>(nullptr), &inputs}) {
      const auto [u, w] = run.field(given);
      xbar::solver::SolveOptions options;
      options.node_voltages = true;
      const auto truth = xbar::solver::solve(run.conductance, given != nullptr ? *given : ones,
                                             run.wires, options);
      REQUIRE(relative_error(u, truth.nodes.front().wordline) <= tolerance<TestType>);
      REQUIRE(relative_error(w, truth.nodes.front().bitline) <= tolerance<TestType>);
    }
  });
}

TEST_CASE("surrogate/tile-kernels: the fields of small tiles are those of dense algebra",
          "[surrogate]") {
  for (const auto& kernels : all_kernels<double>()) {
    for (const auto& [m, n] : {std::pair<Index, Index>{1, 1}, {1, 4}, {4, 1}, {3, 5}, {5, 4}}) {
      for (const WireResistance& wires : wirings) {
        const Run<double> run{kernels, random_matrix(m, n, 1e-5, 1e-3, 9), wires};
        const Vector inputs = random_matrix(m, 1, -1, 1, 10).col(0);
        const auto [u, w] = run.field(&inputs);
        const auto truth = xbar_test::dense_solution(
            xbar::solver::make_circuit(run.conductance, wires), inputs, Vector::Zero(n));
        CAPTURE(kernels.name, m, n, wires.source_ohm, wires.sink_ohm, wires.wordline_ohm);
        REQUIRE(relative_error(u, truth.wordline_node) <= 1e-12);
        REQUIRE(relative_error(w, truth.bitline_node) <= 1e-12);
      }
    }
  }
}

TEMPLATE_TEST_CASE("surrogate/tile-kernels: row and column sums of the sneak ladder are exact",
                   "[surrogate]", float, double) {
  for_all<TestType>([](const Run<TestType>& run, std::uint64_t /*seed*/) {
    const Matrix found = run.sneak();
    const Matrix truth = xbar::solver::effective_conductance(run.conductance, run.wires);
    REQUIRE(relative_error(found.rowwise().sum(), truth.rowwise().sum()) <= tolerance<TestType>);
    REQUIRE(relative_error(found.colwise().sum(), truth.colwise().sum()) <= tolerance<TestType>);
  });
}

TEST_CASE("surrogate/tile-kernels: the fields take few steps", "[surrogate]") {
  // A step of conjugate gradients gains three digits with good wires (4 steps), and 1.5 where the
  // wires take most of the voltage (8); without the conjugate directions it would be 15 there.
  for (const auto& kernels : all_kernels<double>()) {
    for (const auto& [segment_ohm, most] : {std::pair{1.0, 5L}, {30.0, 9L}}) {
      const Run<double> run{
          kernels, random_matrix(64, 64, 5e-6, 5e-5, 16), {100, 100, segment_ohm, segment_ohm}};
      CAPTURE(kernels.name, segment_ohm);
      CHECK(run.field_steps(1e-12) <= most);
    }
  }
}

TEST_CASE("surrogate/tile-kernels: gradients are differences of the effective conductance",
          "[surrogate]") {
  for (const auto& kernels : all_kernels<double>()) {
    for (const auto& [m, n] : {std::pair<Index, Index>{1, 1}, {2, 3}, {17, 9}, {16, 33}}) {
      for (const WireResistance& wires : wirings) {
        const Run<double> run{kernels, random_matrix(m, n, 5e-5, 2e-4, 11), wires};
        const Matrix factor = random_matrix(m, n, 0.5, 1, 12);
        const Matrix cotangent = random_matrix(m, n, -1, 1, 13);
        const Matrix ladder = run.ladder_gradient(nullptr, cotangent);
        const Matrix measured = run.ladder_gradient(&factor, cotangent);
        const Matrix sneak = run.sneak_gradient(cotangent);
        for (const Index e : {Index{0}, m * n / 2, m * n - 1}) {
          CAPTURE(kernels.name, m, n, e, wires.source_ohm, wires.sink_ohm, wires.wordline_ohm);
          const auto difference = [&](const auto& effective) {
            return central_difference(run.conductance, cotangent, e, [&](const Matrix& moved) {
              return effective(Run<double>{kernels, moved, wires});
            });
          };
          // The difference's own error: 1e-16 / 1e-7 S of a sum of m n terms of 1e-4 S, 1e-3^2.
          CHECK(std::abs(ladder.data()[e] -
                         difference([](const Run<double>& r) { return r.ladder(); })) <= 2e-6);
          CHECK(std::abs(measured.data()[e] - difference([&](const Run<double>& r) {
                           return r.ladder(&factor);
                         })) <= 2e-6);
          CHECK(std::abs(sneak.data()[e] -
                         difference([](const Run<double>& r) { return r.sneak(); })) <= 2e-6);
        }
      }
    }
  }
}

TEST_CASE("surrogate/tile-kernels: gradients in float are those in double", "[surrogate]") {
  const auto doubles = all_kernels<double>();
  for_all<float>([&](const Run<float>& run, std::uint64_t seed) {
    const Run<double> reference{doubles.front(), run.conductance, run.wires};
    const Matrix cotangent =
        random_matrix(run.m(), run.n(), -1, 1, seed + 9).cast<float>().cast<double>();
    REQUIRE(relative_error(run.ladder_gradient(nullptr, cotangent),
                           reference.ladder_gradient(nullptr, cotangent)) <= tolerance<float>);
    REQUIRE(relative_error(run.sneak_gradient(cotangent), reference.sneak_gradient(cotangent)) <=
            tolerance<float>);
  });
}

TEST_CASE("surrogate/tile-kernels: sneak currents below a rounding do not spoil the gradient",
          "[surrogate]") {
  // The wires take 1e-9 of the voltage, so that sneak currents are 1e-18 of all: dividing their
  // noise by their sum would give anything.
  for (const auto& kernels : all_kernels<float>()) {
    const Run<float> run{kernels, random_matrix(20, 30, 1e-5, 2e-4, 14), {1e-6, 1e-6, 1e-8, 1e-8}};
    const Matrix cotangent = random_matrix(20, 30, -1, 1, 15).cast<float>().cast<double>();
    REQUIRE(relative_error(run.sneak_gradient(cotangent), cotangent) <= 1e-6);
    REQUIRE(relative_error(run.sneak(), run.conductance) <= 1e-6);
  }
}
