#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/device/update.hpp>

#include "line_kernels.hpp"

namespace xbar::device {

std::string_view update_kind_name(UpdateKind kind) {
  switch (kind) {
    case UpdateKind::asymmetric:
      return "asymmetric";
    case UpdateKind::symmetric:
      return "symmetric";
    case UpdateKind::linear:
      break;
  }
  return "linear";
}

UpdateKind parse_update_kind(std::string_view name) {
  for (const UpdateKind kind :
       {UpdateKind::linear, UpdateKind::asymmetric, UpdateKind::symmetric}) {
    if (update_kind_name(kind) == name) return kind;
  }
  throw InvalidArgument(
      fmt::format("update-kind: expected linear, asymmetric or symmetric, got '{}'", name));
}

void check_update_model(const UpdateModel& model) {
  if (!(model.nonlinearity >= 0) || !(model.nonlinearity <= 50)) {
    throw InvalidArgument(
        fmt::format("nonlinearity: expected 0 to 50, got {}", model.nonlinearity));
  }
  if (!(model.write_noise >= 0) || !(model.write_noise <= 10)) {
    throw InvalidArgument(fmt::format(
        "write-noise: expected 0 to 10 (of the conductance range), got {}", model.write_noise));
  }
}

void apply_update(const UpdateModel& model, std::span<float> state, std::span<const float> change,
                  const RandomStream& noise, std::uint64_t first_index) {
  constexpr std::size_t chunk = 256;
  constexpr std::size_t cache_line = 64 / sizeof(float);
  // Below 2^-25 a step is the linear one but for rounding: s = d (1 + nu (1/2 - x)) or nearer.
  const UpdateKind kind = model.nonlinearity < 0x1p-25 ? UpdateKind::linear : model.kind;
  const auto nu = static_cast<float>(model.nonlinearity);
  const auto gamma = static_cast<float>(model.write_noise);
  std::array<float, chunk> steps{};
  std::array<float, chunk> normals{};
  for (std::size_t first = 0; first < state.size(); first += chunk) {
    const std::size_t size = std::min(chunk, state.size() - first);
    const auto count = static_cast<long>(size);
    float* x = state.data() + first;
    const float* step = change.data() + first;
    // The next cells meanwhile: the processor does not look that far ahead past the arithmetic.
    const std::size_t ahead = std::min(2 * chunk, state.size() - first);
    for (std::size_t k = chunk; k < ahead; k += cache_line) {
      __builtin_prefetch(x + k, 1);
      __builtin_prefetch(step + k);
    }
    if (kind == UpdateKind::asymmetric) {
      XBAR_DISPATCH(xbar::device, asymmetric_steps)(count, nu, x, step, steps.data());
      step = steps.data();
    } else if (kind == UpdateKind::symmetric) {
      XBAR_DISPATCH(xbar::device, symmetric_steps)(count, nu, x, step, steps.data());
      step = steps.data();
    }
    if (gamma > 0) {
      fill_normal(noise, first_index + first, std::span(normals).first(size));
      XBAR_DISPATCH(xbar::device, move_cells_noisily)(count, gamma, normals.data(), step, x);
    } else {
      XBAR_DISPATCH(xbar::device, move_cells)(count, step, x);
    }
  }
}

}  // namespace xbar::device
