#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/surrogate/ladder.hpp>
#include <xbar/surrogate/model.hpp>

#include "ladder_kernels.hpp"

namespace xbar::surrogate {
namespace {

class IdealModel final : public EffectiveModel {
 public:
  [[nodiscard]] ModelKind kind() const override { return ModelKind::ideal; }
  void refresh(const TileBatch& /*batch*/, std::span<const float> /*conductance*/) override {}
  void effective(const TileBatch& /*batch*/, std::span<const float> conductance,
                 std::span<float> out) const override {
    std::copy(conductance.begin(), conductance.end(), out.begin());
  }
};

void ladder_batch(const TileBatch& batch, const WireResistance& wires, const float* conductance,
                  const float* factor, float* out) {
  const Index size = batch.tile_size();
  parallel_for(batch.count, [&](Index t) {
    thread_local std::vector<float> scratch;
    scratch.resize(static_cast<std::size_t>(2 * size + batch.rows + batch.columns));
    XBAR_DISPATCH(::xbar::surrogate, ladder_tile_float)
    (batch.rows, batch.columns, conductance + t * size,
     factor == nullptr ? nullptr : factor + t * size, static_cast<float>(wires.source_ohm),
     static_cast<float>(wires.sink_ohm), static_cast<float>(wires.wordline_ohm),
     static_cast<float>(wires.bitline_ohm), scratch.data(), out + t * size);
  });
}

class LadderModel final : public EffectiveModel {
 public:
  explicit LadderModel(const WireResistance& wires) : wires_(wires) { check_wires(wires); }
  [[nodiscard]] ModelKind kind() const override { return ModelKind::ladder; }
  void refresh(const TileBatch& /*batch*/, std::span<const float> /*conductance*/) override {}
  void effective(const TileBatch& batch, std::span<const float> conductance,
                 std::span<float> out) const override {
    ladder_batch(batch, wires_, conductance.data(), nullptr, out.data());
  }

 private:
  WireResistance wires_;
};

class OperatingPointModel final : public EffectiveModel {
 public:
  OperatingPointModel(const WireResistance& wires, FieldSolver solve_fields)
      : wires_(wires), solve_fields_(std::move(solve_fields)) {
    check_wires(wires);
  }
  [[nodiscard]] ModelKind kind() const override { return ModelKind::operating_point; }

  void refresh(const TileBatch& batch, std::span<const float> conductance) override {
    const Index size = batch.tile_size();
    factor_.resize(static_cast<std::size_t>(batch.count * size));
    const Vector inputs = Vector::Ones(batch.rows);
    parallel_for(batch.count, [&](Index t) {
      const Eigen::Map<const MatrixF> tile(conductance.data() + t * size, batch.rows,
                                           batch.columns);
      Matrix wordline;
      Matrix bitline;
      solve_fields_(tile.cast<double>(), wires_, inputs, wordline, bitline);
      Eigen::Map<MatrixF>(factor_.data() + t * size, batch.rows, batch.columns) =
          operating_point_factor(wordline, bitline, inputs).cast<float>();
    });
  }

  void effective(const TileBatch& batch, std::span<const float> conductance,
                 std::span<float> out) const override {
    ladder_batch(batch, wires_, conductance.data(), factor_.data(), out.data());
  }

 private:
  WireResistance wires_;
  FieldSolver solve_fields_;
  std::vector<float> factor_;  // k of all tiles
};

constexpr std::array kinds = {ModelKind::ideal, ModelKind::ladder, ModelKind::operating_point,
                              ModelKind::exact};

}  // namespace

std::string_view model_name(ModelKind kind) {
  switch (kind) {
    case ModelKind::ideal:
      return "ideal";
    case ModelKind::ladder:
      return "ladder";
    case ModelKind::operating_point:
      return "operating-point";
    case ModelKind::exact:
      break;
  }
  return "exact";
}

ModelKind parse_model(std::string_view name) {
  std::vector<std::string> names;
  for (const ModelKind kind : kinds) {
    if (model_name(kind) == name) return kind;
    names.emplace_back(model_name(kind));
  }
  const std::string close = nearest(name, names);
  throw InvalidArgument(fmt::format("model: expected one of {}, got '{}'{}", fmt::join(names, ", "),
                                    name,
                                    close.empty() ? "" : fmt::format("; did you mean {}?", close)));
}

std::unique_ptr<EffectiveModel> make_ideal_model() { return std::make_unique<IdealModel>(); }

std::unique_ptr<EffectiveModel> make_ladder_model(const WireResistance& wires) {
  return std::make_unique<LadderModel>(wires);
}

std::unique_ptr<EffectiveModel> make_operating_point_model(const WireResistance& wires,
                                                           FieldSolver solve_fields) {
  return std::make_unique<OperatingPointModel>(wires, std::move(solve_fields));
}

}  // namespace xbar::surrogate
