#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/isa.hpp>
#include <xbar/device/pulsed_cells.hpp>

#include "cell_spread.hpp"
#include "pulsed_cells_chunk.hpp"

namespace xbar::device {
namespace {

// Rows of PulsedCells::alike_.
enum Alike : Index { zero, one, up_0, up_slope, down_0, down_slope, rows };

// How far steps may change within one event, of themselves, for the mean to hold to second order.
constexpr double largest_change = 0.1;

// The steepest slope of the steps against x.
double steepest(const PulseModel& model) {
  constexpr int parts = 256;
  double steepest = 0;
  for (int k = 0; k < parts; ++k) {
    const double x = static_cast<double>(k) / parts;
    const double behind = static_cast<double>(k + 1) / parts;
    steepest = std::max({steepest, std::abs(model.up_step(behind) - model.up_step(x)) * parts,
                         std::abs(model.down_step(behind) - model.down_step(x)) * parts});
  }
  return steepest;
}

}  // namespace

PulsedCells::PulsedCells(std::shared_ptr<const PulseDevice> device, Index lines, Index length,
                         const RandomStream& cells)
    : device_(std::move(device)), lines_(lines), length_(length) {
  check_pulse_device(*device_);
  affine_ = device_->model->affine();
  event_rate_ = static_cast<float>(steepest(*device_->model) / largest_change);
  alike_ = MatrixF::Zero(rows, static_cast<Index>(chunk_cells));
  alike_.row(one).setOnes();
  if (affine_) {
    alike_.row(up_0).setConstant(static_cast<float>(affine_->up_at_0));
    alike_.row(up_slope).setConstant(static_cast<float>(affine_->up_at_1 - affine_->up_at_0));
    alike_.row(down_0).setConstant(static_cast<float>(affine_->down_at_0));
    alike_.row(down_slope).setConstant(static_cast<float>(affine_->down_at_1 - affine_->down_at_0));
  }
  CellSpread spread = draw_cell_spread(*device_, lines, length, cells);
  up_factor_ = std::move(spread.up_factor);
  down_factor_ = std::move(spread.down_factor);
  lower_ = std::move(spread.lower);
  upper_ = std::move(spread.upper);
  up_at_0_ = std::move(spread.up_at_0);
  up_slope_ = std::move(spread.up_slope);
  down_at_0_ = std::move(spread.down_at_0);
  down_slope_ = std::move(spread.down_slope);
  life_ = std::move(spread.life);
  if (device_->noise.write > 0) hidden_ = MatrixF::Zero(lines, length);
  if (life_.size() > 0) used_ = MatrixF::Zero(lines, length);
}

PulsedCells::Chunk PulsedCells::chunk_of(Index line, Index first) const {
  const Index offset = line * length_ + first;
  const auto part = [&](const MatrixF& own, Alike row) {
    return own.size() > 0 ? own.data() + offset : alike_.data() + row * alike_.cols();
  };
  return {static_cast<std::uint64_t>(offset),
          {part(up_factor_, one), part(down_factor_, one), part(lower_, zero), part(upper_, one)},
          {part(up_at_0_, up_0), part(up_slope_, up_slope), part(down_at_0_, down_0),
           part(down_slope_, down_slope)},
          life_.size() > 0 ? life_.data() + offset : nullptr,
          offset};
}

void PulsedCells::pulse(Index line, Index first, std::span<float> state, std::span<const float> up,
                        std::span<const float> down, const RandomStream& noise) {
  while (!state.empty()) {
    const Chunk chunk = chunk_of(line, first);
    const std::size_t count =
        std::min(chunk_cells - static_cast<std::size_t>(chunk.index % chunk_cells), state.size());
    pulse_chunk(chunk, state.first(count), up.first(count), down.first(count), noise);
    state = state.subspan(count);
    up = up.subspan(count);
    down = down.subspan(count);
    first += static_cast<Index>(count);
  }
}

void PulsedCells::own_steps(const Chunk& chunk, std::span<const float> z, std::span<float> up,
                            std::span<float> down) const {
  if (affine_) {
    for (std::size_t k = 0; k < z.size(); ++k) {
      up[k] = chunk.steps.up_at_0[k] + chunk.steps.up_slope[k] * z[k];
      down[k] = chunk.steps.down_at_0[k] + chunk.steps.down_slope[k] * z[k];
    }
  } else {
    device_->model->up_steps(z, up);
    device_->model->down_steps(z, down);
  }
  for (std::size_t k = 0; k < z.size(); ++k) {
    up[k] *= chunk.cells.up_factor[k];
    down[k] *= chunk.cells.down_factor[k];
  }
}

void PulsedCells::symmetry_point(Index line, Index first, std::span<float> state) const {
  constexpr int halvings = 24;  // to the last bit of a float
  ChunkFloats low{};
  ChunkFloats high{};
  ChunkFloats middle{};
  ChunkFloats up{};
  ChunkFloats down{};
  for (std::size_t begin = 0; begin < state.size(); begin += chunk_cells) {
    const std::size_t count = std::min(chunk_cells, state.size() - begin);
    const Chunk chunk = chunk_of(line, first + static_cast<Index>(begin));
    low.fill(0);
    high.fill(1);
    for (int halving = 0; halving < halvings; ++halving) {
      for (std::size_t k = 0; k < count; ++k) middle[k] = (low[k] + high[k]) / 2;
      own_steps(chunk, std::span(middle).first(count), std::span(up).first(count),
                std::span(down).first(count));
      // Above the point pulses in turn lead down, below it up.
      for (std::size_t k = 0; k < count; ++k) (up[k] > down[k] ? low : high)[k] = middle[k];
    }
    for (std::size_t k = 0; k < count; ++k) {
      const float z = (low[k] + high[k]) / 2;
      state[begin + k] = chunk.cells.lower[k] * (1 - z) + chunk.cells.upper[k] * z;
    }
  }
}

void PulsedCells::set(Index line, Index first, std::span<float> state) {
  for (std::size_t begin = 0; begin < state.size(); begin += chunk_cells) {
    const std::size_t count = std::min(chunk_cells, state.size() - begin);
    const Chunk chunk = chunk_of(line, first + static_cast<Index>(begin));
    for (std::size_t k = 0; k < count; ++k) {
      float& x = state[begin + k];
      x = std::clamp(x, chunk.cells.lower[k], chunk.cells.upper[k]);
      if (hidden_.size() > 0) hidden_.data()[chunk.offset + static_cast<Index>(k)] = x;
    }
  }
}

void PulsedCells::restore(const State& state) {
  const auto check = [](const char* what, const MatrixF& found, const MatrixF& own) {
    if (found.rows() != own.rows() || found.cols() != own.cols()) {
      throw InvalidArgument(fmt::format("pulsed cells: {}: expected {} x {}, got {} x {}", what,
                                        own.rows(), own.cols(), found.rows(), found.cols()));
    }
  };
  check("hidden states", state.hidden, hidden_);
  check("pulses so far", state.used, used_);
  hidden_ = state.hidden;
  used_ = state.used;
}

}  // namespace xbar::device
