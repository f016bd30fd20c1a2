#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include <xbar/core/parallel.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/mapping/crossbar_matrix.hpp>
#include <xbar/surrogate/current_error.hpp>

#include "swapped_wires.hpp"

// What CrossbarMatrix does to know its effective weights, and how well it knows them.

namespace xbar::mapping {
namespace {

double largest(const std::vector<double>& errors) {
  return *std::max_element(errors.begin(), errors.end());
}

}  // namespace

// An array of a check: what it carries, what it should let through, what it is compared at.
struct CrossbarMatrix::Sample {
  Index plane = 0;
  Index tile = 0;
  Matrix conductance;
  Matrix exact;     // of the forward read
  Matrix backward;  // of the transposed read when the terminals swap, transposed
  Matrix inputs;
};

void CrossbarMatrix::refresh() {
  if (technology().device && technology().device->one_way) renew_pairs();
  const CertificateOptions& options = options_.certificate;
  const bool checked = options_.exact.effective && options.every > 0 &&
                       certificate_.refreshes % static_cast<std::uint64_t>(options.every) == 0;
  ++certificate_.refreshes;
  if (!checked) {
    measure_all();
    return;
  }
  const Stopwatch watch;
  const double surrogate_before = times_.surrogate;
  const bool full_interval = updates_since_refresh_ >= choice_.refresh;
  const std::vector<Sample> samples = draw_samples(options.tiles);
  const std::vector<double> errors = measured_errors(samples);
  const double in_use = largest(errors);
  measure_all();
  const double fresh = largest(measured_errors(samples));
  certificate_.checks += static_cast<std::uint64_t>(samples.size());
  certificate_.error_sum += std::accumulate(errors.begin(), errors.end(), 0.0);
  certificate_.worst_error = std::max(certificate_.worst_error, in_use);
  certificate_.worst_fresh = std::max(certificate_.worst_fresh, fresh);
  if (options.tolerance > 0) {
    certificate_.broken += static_cast<std::uint64_t>(std::count_if(
        errors.begin(), errors.end(), [&](double error) { return error > options.tolerance; }));
    const SurrogateChoice next = next_choice(choice_, in_use, fresh, full_interval, options);
    if (next != choice_) {
      const bool new_model = next.model != choice_.model;
      choice_ = next;
      certificate_.changes.push_back({update_count_, in_use, next.model, next.refresh});
      if (new_model) {
        make_models();
        measure_all();
      }
    }
  }
  count_certificate(watch.seconds() - (times_.surrogate - surrogate_before));
}

void CrossbarMatrix::count_certificate(double seconds) {
  certificate_.seconds += seconds;
  times_.certificate += seconds;
}

// Before any update: the first member from the given one on that keeps half the tolerance.
void CrossbarMatrix::choose_at_start() {
  constexpr Index samples_at_start = 4;
  const Stopwatch watch;
  const double surrogate_before = times_.surrogate;
  const std::vector<Sample> samples = draw_samples(samples_at_start);
  for (;;) {
    const double fresh = largest(measured_errors(samples));
    certificate_.worst_fresh = fresh;
    if (fresh <= 0.5 * options_.certificate.tolerance ||
        choice_.model == surrogate::ModelKind::exact) {
      break;
    }
    choice_.model = more_accurate(choice_.model);
    certificate_.changes.push_back({update_count_, fresh, choice_.model, choice_.refresh});
    make_models();
    measure_all();
  }
  count_certificate(watch.seconds() - (times_.surrogate - surrogate_before));
}

std::vector<CrossbarMatrix::Sample> CrossbarMatrix::draw_samples(Index count) const {
  const RandomStream draws = options_.noise.substream(~certificate_.refreshes);
  const Index arrays = plane_count() * tile_count();
  std::vector<Sample> samples(static_cast<std::size_t>(std::min(count, arrays)));
  for (std::size_t k = 0; k < samples.size(); ++k) {
    Sample& sample = samples[k];
    const auto array = static_cast<Index>(draws.below(k, static_cast<std::uint64_t>(arrays)));
    sample.plane = array % plane_count();
    sample.tile = array / plane_count();
    sample.inputs = surrogate::random_sparse_inputs(
        technology().tile_rows, options_.certificate.inputs, certificate_.refreshes + k);
    sample.conductance = tile_conductance(sample.plane, sample.tile);
  }
  parallel_for(static_cast<Index>(samples.size()), [&](Index k) {
    Sample& sample = samples[static_cast<std::size_t>(k)];
    const WireResistance& wires = technology().wires;
    // Without wires there is nothing to solve.
    sample.exact =
        is_ideal() ? sample.conductance : options_.exact.effective(sample.conductance, wires);
    if (technology().terminals == Terminals::swap) {
      sample.backward = is_ideal()
                            ? sample.conductance
                            : options_.exact.effective(sample.conductance, swapped_wires(wires));
    }
  });
  return samples;
}

// The error of each sample with the ratios now in use: that of its worse read.
std::vector<double> CrossbarMatrix::measured_errors(const std::vector<Sample>& samples) const {
  std::vector<double> errors;
  for (const Sample& sample : samples) {
    const auto error = [&](const MatrixF& ratio, const Matrix& exact) {
      const double share =
          surrogate::current_error(sample.conductance.cwiseProduct(tile_of(ratio, sample.tile)),
                                   exact, sample.inputs)
              .relative;
      return std::isnan(share) ? std::numeric_limits<double>::infinity() : share;
    };
    const Plane& plane = planes_[static_cast<std::size_t>(sample.plane)];
    errors.push_back(error(plane.ratio, sample.exact));
    if (sample.backward.size() > 0) {
      errors.back() = std::max(errors.back(), error(plane.backward, sample.backward));
    }
  }
  return errors;
}

void CrossbarMatrix::measure_all() {
  const Stopwatch watch;
  updates_since_refresh_ = 0;
  noisy_ = false;
  for (Plane& plane : planes_) {
    // What pulses do not reach stays as it was measured.
    if (plane.is_measured && technology().device && !plane.pulsed) continue;
    plane.is_measured = true;
    measure(plane, *plane.forward_model, plane.ratio);
    if (plane.backward_model) measure(plane, *plane.backward_model, plane.backward);
  }
  measure_write_paths();
  gain_.setOnes();
  compose_all();
  if (technology().gain != Gain::none) {
    fit_gain();
    compose_all();
  }
  times_.surrogate += watch.seconds();
}

// Conductances of the plane's tiles, siemens, as the models want them.
void CrossbarMatrix::gather_conductance(const Plane& plane) {
  const Index rows = technology().tile_rows;
  const Index columns = technology().tile_columns;
  const surrogate::TileBatch batch{tile_count(), rows, columns};
  conductance_.resize(static_cast<std::size_t>(batch.size()));
  parallel_for(batch.count, [&](Index t) {
    const Index first_input = t / tile_column_count_ * rows;
    const Index first_bitline = t % tile_column_count_ * columns;
    float* tile = conductance_.data() + t * batch.tile_size();
    for (Index j = 0; j < columns; ++j) {
      const Index offset = (first_bitline + j) * plane.state.cols() + first_input;
      const float* x = plane.state.data() + offset;
      if (plane.slope.size() == 0) {
        // A device whose range ends below g_min may come to 0, but for rounding.
        for (Index i = 0; i < rows; ++i) {
          tile[i * columns + j] = std::max(g_min_ + g_width_ * x[i], 0.0F);
        }
      } else {
        const float* slope = plane.slope.data() + offset;
        const float* base = plane.base.data() + offset;
        for (Index i = 0; i < rows; ++i) {
          tile[i * columns + j] = std::max(g_width_ * (x[i] * slope[i] + base[i]), 0.0F);
        }
      }
    }
  });
}

void CrossbarMatrix::measure(Plane& plane, surrogate::EffectiveModel<float>& model,
                             MatrixF& ratio) {
  if (is_ideal()) {
    ratio.setOnes();
    return;
  }
  const Index rows = technology().tile_rows;
  const Index columns = technology().tile_columns;
  const surrogate::TileBatch batch{tile_count(), rows, columns};
  gather_conductance(plane);
  effective_.resize(conductance_.size());
  model.refresh(batch, conductance_);
  model.effective(batch, conductance_, effective_);
  parallel_for(batch.count, [&](Index t) {
    const Index first_input = t / tile_column_count_ * rows;
    const Index first_bitline = t % tile_column_count_ * columns;
    const float* tile = conductance_.data() + t * batch.tile_size();
    const float* effective = effective_.data() + t * batch.tile_size();
    for (Index j = 0; j < columns; ++j) {
      float* out = ratio.data() + (first_bitline + j) * ratio.cols() + first_input;
      for (Index i = 0; i < rows; ++i) {
        const float g = tile[i * columns + j];
        // An open cell carries nothing directly, whatever its ratio.
        out[i] = g > 0 ? effective[i * columns + j] / g : 1.0F;
      }
    }
  });
}

void CrossbarMatrix::backpropagate(MatrixF& gradient) {
  check_weight_shape("gradient", gradient);
  const Stopwatch watch;
  const Index rows = technology().tile_rows;
  const Index columns = technology().tile_columns;
  const surrogate::TileBatch batch{tile_count(), rows, columns};
  const Index wordlines = tile_row_count_ * rows;
  const auto size = static_cast<std::size_t>(batch.size());
  std::vector<float> cotangent(size);
  // d(loss)/dG of every cell, as if it were what is programmed; tiles as in TileBatch, by plane.
  std::vector<std::vector<float>> of_cell(planes_.size());
  // Where wordline k of a bitline sits in the tiles.
  const auto place = [&](Index bitline, Index k) {
    const Index tile = k / rows * tile_column_count_ + bitline / columns;
    return static_cast<std::size_t>(tile * batch.tile_size() + k % rows * columns +
                                    bitline % columns);
  };
  for (std::size_t p = 0; p < planes_.size(); ++p) {
    std::fill(cotangent.begin(), cotangent.end(), 0.0F);
    for (Index c = 0; c < encoder_.cells(); ++c) {
      if (plane_of(c) != static_cast<Index>(p)) continue;
      const float share = weight_range_ * encoder_.coefficient(c) / g_width_;
      for (Index o = 0; o < outputs_; ++o) {
        const Index slot = slot_of(o);
        const Index bitline = bitline_of(c, slot);
        for (Index k = 0; k < inputs_; ++k) {
          const Index wordline = wordline_of(k);
          const float value = share * gain_(o, wordline / rows) * gradient(o, k);
          cotangent[place(bitline, wordline)] += value;
          if (technology().layout == Layout::offset) {
            cotangent[place(reference_bitline(slot), wordline)] -= value;
          }
        }
      }
    }
    gather_conductance(planes_[p]);
    of_cell[p].resize(size);
    planes_[p].forward_model->refresh(batch, conductance_);
    planes_[p].forward_model->gradient(batch, conductance_, cotangent, of_cell[p]);
    const MatrixF& slope = planes_[p].slope;
    for (Index b = 0; b < slope.rows(); ++b) {
      for (Index k = 0; k < wordlines; ++k) of_cell[p][place(b, k)] *= slope(b, k);
    }
  }
  float total = 0;  // of what the slices add to v, each at x = 1
  for (Index s = 0; s < encoder_.slices(); ++s) {
    total += encoder_.coefficient(s * encoder_.signs());
  }
  const float scale = g_width_ / (weight_range_ * total);
  const MatrixF& weight = this->weight();
  for_each_output([&](Index o) {
    const Index slot = slot_of(o);
    for (Index k = 0; k < inputs_; ++k) {
      const bool minus = !encoder_.is_centred() && weight(o, k) < 0;
      float sum = 0;
      for (Index s = 0; s < encoder_.slices(); ++s) {
        const Index c = s * encoder_.signs() + (minus ? 1 : 0);
        sum += of_cell[static_cast<std::size_t>(plane_of(c))]
                      [place(bitline_of(c, slot), wordline_of(k))];
      }
      gradient(o, k) = sum * (minus ? -scale : scale);
    }
  });
  times_.surrogate += watch.seconds();
}

void CrossbarMatrix::fit_gain() {
  const Index rows = technology().tile_rows;
  // Sums over each bitline's own cells; a tile's factor adds up its bitlines.
  Matrix wanted = Matrix::Zero(slot_count(), tile_row_count_);
  Matrix found = Matrix::Zero(slot_count(), tile_row_count_);
  for (Index o = 0; o < outputs_; ++o) {
    const Index slot = slot_of(o);
    for (Index k = 0; k < inputs_; ++k) {
      const Index r = wordline_of(k) / rows;
      const auto ideal = static_cast<double>(weight()(o, k));
      const auto wired = static_cast<double>(forward_(o, k));
      wanted(slot, r) += ideal * wired;
      found(slot, r) += wired * wired;
    }
  }
  if (technology().gain == Gain::tile) {
    const Index columns = outputs_per_tile();
    for (Index c = 0; c < tile_column_count_; ++c) {
      for (Index r = 0; r < tile_row_count_; ++r) {
        wanted.col(r)
            .segment(c * columns, columns)
            .setConstant(wanted.col(r).segment(c * columns, columns).sum());
        found.col(r)
            .segment(c * columns, columns)
            .setConstant(found.col(r).segment(c * columns, columns).sum());
      }
    }
  }
  for (Index o = 0; o < outputs_; ++o) {
    const Index slot = slot_of(o);
    for (Index r = 0; r < tile_row_count_; ++r) {
      gain_(o, r) =
          found(slot, r) > 0 ? static_cast<float>(wanted(slot, r) / found(slot, r)) : 1.0F;
    }
  }
}

}  // namespace xbar::mapping
