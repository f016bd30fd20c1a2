#include <algorithm>
#include <cmath>
#include <cstdint>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/mapping/weight_encoder.hpp>

namespace xbar::mapping {

std::string_view layout_name(Layout layout) {
  switch (layout) {
    case Layout::interleaved:
      return "interleaved";
    case Layout::offset:
      return "offset";
    case Layout::reference:
      return "reference";
    case Layout::differential:
      break;
  }
  return "differential";
}

Layout parse_layout(std::string_view name) {
  for (const Layout layout :
       {Layout::differential, Layout::interleaved, Layout::offset, Layout::reference}) {
    if (layout_name(layout) == name) return layout;
  }
  throw InvalidArgument(fmt::format(
      "layout: expected differential, interleaved, offset or reference, got '{}'", name));
}

WeightEncoder::WeightEncoder(Layout layout, const WeightBits& bits) : layout_(layout) {
  constexpr int most_weight_bits = 16;
  constexpr int most_cell_bits = 8;
  if (bits.cell < 0 || bits.cell > most_cell_bits) {
    throw InvalidArgument(
        fmt::format("cell-bits: expected 1 to {}, or 0 for as many as needed, "
                    "got {}",
                    most_cell_bits, bits.cell));
  }
  if (bits.weight != 0 && (bits.weight < 2 || bits.weight > most_weight_bits)) {
    throw InvalidArgument(fmt::format("weight-bits: expected 2 to {}, or 0 for analog, got {}",
                                      most_weight_bits, bits.weight));
  }
  const bool pairs = !is_centred();
  if (bits.weight == 0 && bits.cell == 0) {
    slice_ = {pairs ? Slice{1.0F, 0.0F} : Slice{2.0F, 0.5F}};
    constant_ = layout == Layout::offset ? 1.0F : 0.0F;
    return;
  }
  if (layout == Layout::reference) {
    throw InvalidArgument("weight-bits, cell-bits: expected 0 (analog) with layout reference");
  }
  const int magnitude_bits = bits.weight == 0 ? bits.cell : bits.weight - (pairs ? 1 : 0);
  if (!pairs && magnitude_bits < 2) {
    throw InvalidArgument("cell-bits: expected at least 2 with layout offset, got 1");
  }
  cell_bits_ = bits.cell == 0 ? magnitude_bits : std::min(bits.cell, magnitude_bits);
  middle_ = pairs ? 0 : 1 << (magnitude_bits - 1);
  magnitudes_ = static_cast<float>(pairs ? (1 << magnitude_bits) - 1 : middle_ - 1);
  const int digit_mask = (1 << cell_bits_) - 1;
  for (int shift = 0; shift < magnitude_bits; shift += cell_bits_) {
    const float weight_of_level = std::ldexp(1.0F, shift) / magnitudes_;
    const auto levels = static_cast<float>(digit_mask);
    slice_.push_back(
        {levels * weight_of_level, static_cast<float>((middle_ >> shift) & digit_mask) / levels});
  }
  constant_ = static_cast<float>(middle_) / magnitudes_;
}

void WeightEncoder::encode(const float* v, Index count, float* const* cells) const {
  if (magnitudes_ == 0) {
    if (layout_ == Layout::offset) {
#pragma omp simd
      for (Index k = 0; k < count; ++k) {
        cells[0][k] = 0.5F + 0.5F * std::min(std::max(v[k], -1.0F), 1.0F);
      }
      return;
    }
    float* plus = cells[0];
    float* minus = cells[1];
    if (layout_ == Layout::reference) {
#pragma omp simd
      for (Index k = 0; k < count; ++k) {
        const float x = minus[k] + 0.5F * std::min(std::max(v[k], -1.0F), 1.0F);
        plus[k] = std::min(std::max(x, 0.0F), 1.0F);
      }
      return;
    }
#pragma omp simd
    for (Index k = 0; k < count; ++k) {
      plus[k] = std::min(std::max(v[k], 0.0F), 1.0F);
      minus[k] = std::min(std::max(-v[k], 0.0F), 1.0F);
    }
    return;
  }
  const int digit_mask = (1 << cell_bits_) - 1;
  const float inverse = 1.0F / static_cast<float>(digit_mask);
  for (Index s = 0; s < slices(); ++s) {
    const int shift = static_cast<int>(s) * cell_bits_;
    if (layout_ == Layout::offset) {
      float* cell = cells[s];
      for (Index k = 0; k < count; ++k) {
        const float clipped = std::min(std::max(v[k], -1.0F), 1.0F);
        const int code = middle_ + static_cast<int>(std::nearbyint(clipped * magnitudes_));
        cell[k] = static_cast<float>((code >> shift) & digit_mask) * inverse;
      }
    } else {
      float* plus = cells[2 * s];
      float* minus = cells[2 * s + 1];
      for (Index k = 0; k < count; ++k) {
        const float size = std::min(std::abs(v[k]), 1.0F);
        const int code = static_cast<int>(std::nearbyint(size * magnitudes_));
        const float x = static_cast<float>((code >> shift) & digit_mask) * inverse;
        plus[k] = v[k] > 0 ? x : 0.0F;
        minus[k] = v[k] > 0 ? 0.0F : x;
      }
    }
  }
}

void WeightEncoder::decode(const float* const* cells, Index count, float* v) const {
  for (Index c = 0; c < this->cells(); ++c) {
    const float share = coefficient(c);
    const float* x = cells[c];
    if (c == 0) {
      const float constant = constant_;
#pragma omp simd
      for (Index k = 0; k < count; ++k) v[k] = share * x[k] - constant;
    } else {
#pragma omp simd
      for (Index k = 0; k < count; ++k) v[k] += share * x[k];
    }
  }
}

}  // namespace xbar::mapping
