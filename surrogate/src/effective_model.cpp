#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/surrogate/effective_model.hpp>

namespace xbar::surrogate {
namespace {

void check_size(const char* what, std::size_t found, Index expected) {
  if (static_cast<Index>(found) != expected) {
    throw InvalidArgument(
        fmt::format("{}: expected {} values for the batch, got {}", what, expected, found));
  }
}

}  // namespace

template <typename Real>
void EffectiveModel<Real>::refresh(const TileBatch& batch, std::span<const Real> conductance,
                                   std::span<const Real> inputs) {
  check_size("conductance", conductance.size(), batch.size());
  if (!inputs.empty()) check_size("inputs", inputs.size(), batch.count * batch.rows);
  do_refresh(batch, conductance.data(), inputs.empty() ? nullptr : inputs.data());
  measured_ = batch;
}

template <typename Real>
void EffectiveModel<Real>::effective(const TileBatch& batch, std::span<const Real> conductance,
                                     std::span<Real> out) const {
  check(batch);
  check_size("conductance", conductance.size(), batch.size());
  check_size("effective conductance", out.size(), batch.size());
  do_effective(batch, conductance.data(), out.data());
}

template <typename Real>
void EffectiveModel<Real>::gradient(const TileBatch& batch, std::span<const Real> conductance,
                                    std::span<const Real> cotangent, std::span<Real> out) const {
  check(batch);
  check_size("conductance", conductance.size(), batch.size());
  check_size("cotangent", cotangent.size(), batch.size());
  check_size("gradient", out.size(), batch.size());
  do_gradient(batch, conductance.data(), cotangent.data(), out.data());
}

template <typename Real>
void EffectiveModel<Real>::check(const TileBatch& batch) const {
  const ModelInfo& info = model_info(kind());
  if (!info.measures || batch == measured_) return;
  throw InvalidArgument(fmt::format(
      "{}: expected a refresh() of {} tiles of {} x {} first, the last one was of {} of {} x {}",
      info.name, batch.count, batch.rows, batch.columns, measured_.count, measured_.rows,
      measured_.columns));
}

template class EffectiveModel<float>;
template class EffectiveModel<double>;

}  // namespace xbar::surrogate
