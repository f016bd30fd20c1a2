#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/parallel.hpp>
#include <xbar/core/stopwatch.hpp>
#include <xbar/mapping/crossbar_matrix.hpp>
#include <xbar/surrogate/current_error.hpp>
#include <xbar/surrogate/model.hpp>

namespace xbar::mapping {
namespace {

Index ceil_divide(Index a, Index b) { return (a + b - 1) / b; }

double largest(const std::vector<double>& errors) {
  return *std::max_element(errors.begin(), errors.end());
}

WireResistance swapped_wires(WireResistance wires) {
  std::swap(wires.source_ohm, wires.sink_ohm);
  return wires;
}

}  // namespace

template <typename Body>
void CrossbarMatrix::for_each_output(const Body& body) const {
  // Waking the other cores costs as much as some ten thousand cells.
  if (outputs_ * inputs_ < 16384) {
    for (Index o = 0; o < outputs_; ++o) body(o);
  } else {
    parallel_for(outputs_, body);
  }
}

CrossbarMatrix::CrossbarMatrix(Index outputs, Index inputs, float weight_range,
                               CrossbarOptions options)
    : options_(std::move(options)),
      outputs_(outputs),
      inputs_(inputs),
      weight_range_(weight_range) {
  check_technology(technology());
  if (outputs < 1 || inputs < 1) {
    throw InvalidArgument(fmt::format(
        "crossbar matrix: expected at least 1 x 1 weights, got {} x {}", outputs, inputs));
  }
  if (!(weight_range > 0) || !std::isfinite(weight_range)) {
    throw InvalidArgument(
        fmt::format("weight range: expected a finite number > 0, got {}", weight_range));
  }
  if (options_.refresh < 1) {
    throw InvalidArgument(fmt::format("refresh: expected at least 1, got {}", options_.refresh));
  }
  check_certificate_options(options_.certificate);
  if (options_.certificate.tolerance > 0 && !options_.exact.effective) {
    throw InvalidArgument("tolerance: expected an exact solver to measure with, got none");
  }
  choice_ = {options_.model, options_.refresh};
  const Technology& t = technology();
  const device::ConductanceRange range = t.range();
  g_min_ = static_cast<float>(range.g_min);
  g_width_ = static_cast<float>(range.width());
  tile_row_count_ = ceil_divide(inputs, t.tile_rows);
  tile_column_count_ = ceil_divide(outputs, t.tile_columns);
  slot_of_output_.resize(static_cast<std::size_t>(outputs));
  std::iota(slot_of_output_.begin(), slot_of_output_.end(), Index{0});
  for (Side* side : {&plus_, &minus_}) {
    side->state = MatrixF::Zero(slot_count(), tile_row_count_ * t.tile_rows);
    side->ratio = MatrixF::Ones(side->state.rows(), side->state.cols());
    if (t.terminals == Terminals::swap) side->backward = side->ratio;
  }
  make_models();
  weight_ = MatrixF::Zero(outputs, inputs);
  forward_ = weight_;
  if (t.terminals == Terminals::swap) backward_ = weight_;
  gain_ = MatrixF::Ones(outputs, tile_row_count_);
}

void CrossbarMatrix::make_models() {
  const Technology& t = technology();
  for (Side* side : {&plus_, &minus_}) {
    side->forward_model = surrogate::make_model<float>(choice_.model, t.wires, options_.exact);
    if (t.terminals == Terminals::swap) {
      // The transposed read with swapped terminals is, by reciprocity, the transpose of the forward
      // read of the array whose source and sink resistances are exchanged.
      side->backward_model =
          surrogate::make_model<float>(choice_.model, swapped_wires(t.wires), options_.exact);
    }
  }
}

void CrossbarMatrix::program(const MatrixF& weight) {
  if (weight.rows() != outputs_ || weight.cols() != inputs_) {
    throw InvalidArgument(fmt::format("weight: expected {} x {} (outputs x inputs), got {} x {}",
                                      outputs_, inputs_, weight.rows(), weight.cols()));
  }
  plus_.state.setZero();
  minus_.state.setZero();
  const float inverse = 1.0F / weight_range_;
  for (Index o = 0; o < outputs_; ++o) {
    const Index slot = slot_of_output_[static_cast<std::size_t>(o)];
    for (Index k = 0; k < inputs_; ++k) {
      const float x = std::clamp(weight(o, k) * inverse, -1.0F, 1.0F);
      plus_.state(slot, k) = std::max(x, 0.0F);
      minus_.state(slot, k) = std::max(-x, 0.0F);
    }
  }
  for_each_output([&](Index o) { decode_output(o); });
  measure_all();
  if (options_.certificate.tolerance > 0) choose_at_start();
}

void CrossbarMatrix::update(const MatrixF& delta) {
  if (delta.rows() != outputs_ || delta.cols() != inputs_) {
    throw InvalidArgument(fmt::format("weight update: expected {} x {}, got {} x {}", outputs_,
                                      inputs_, delta.rows(), delta.cols()));
  }
  const float inverse = 1.0F / weight_range_;
  const RandomStream plus_noise = options_.noise.substream(2 * update_count_);
  const RandomStream minus_noise = options_.noise.substream(2 * update_count_ + 1);
  ++update_count_;
  const bool measure_now = ++updates_since_refresh_ >= choice_.refresh;
  for_each_output([&](Index o) {
    thread_local std::vector<float> change_plus;
    thread_local std::vector<float> change_minus;
    const auto count = static_cast<std::size_t>(inputs_);
    change_plus.resize(count);
    change_minus.resize(count);
    const Index slot = slot_of_output_[static_cast<std::size_t>(o)];
    float* plus = plus_.state.data() + slot * plus_.state.cols();
    float* minus = minus_.state.data() + slot * minus_.state.cols();
    const float* step = delta.data() + o * inputs_;
    for (std::size_t k = 0; k < count; ++k) {
      const float target = plus[k] - minus[k] + step[k] * inverse;
      change_plus[k] = std::min(std::max(target, 0.0F), 1.0F) - plus[k];
      change_minus[k] = std::min(std::max(-target, 0.0F), 1.0F) - minus[k];
    }
    const auto first = static_cast<std::uint64_t>(o) * count;
    device::apply_update(technology().update, {plus, count}, change_plus, plus_noise, first);
    device::apply_update(technology().update, {minus, count}, change_minus, minus_noise, first);
    decode_output(o);
    if (!measure_now) compose_output(o);
  });
  if (measure_now) refresh();
}

// An array of a check: what it carries, what it should let through, what it is compared at.
struct CrossbarMatrix::Sample {
  Polarity polarity = Polarity::plus;
  Index tile = 0;
  Matrix conductance;
  Matrix exact;     // of the forward read
  Matrix backward;  // of the transposed read when the terminals swap, transposed
  Matrix inputs;
};

void CrossbarMatrix::refresh() {
  const CertificateOptions& options = options_.certificate;
  const bool checked = options_.exact.effective && options.every > 0 &&
                       certificate_.refreshes % static_cast<std::uint64_t>(options.every) == 0;
  ++certificate_.refreshes;
  if (!checked) {
    measure_all();
    return;
  }
  const bool full_interval = updates_since_refresh_ >= choice_.refresh;
  const Stopwatch before;
  const std::vector<Sample> samples = draw_samples(options.tiles);
  const std::vector<double> errors = measured_errors(samples);
  const double in_use = largest(errors);
  certificate_.seconds += before.seconds();
  measure_all();
  const Stopwatch after;
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
  certificate_.seconds += after.seconds();
}

// Before any update: the first member from the given one on that keeps half the tolerance.
void CrossbarMatrix::choose_at_start() {
  constexpr Index samples_at_start = 4;
  const Stopwatch watch;
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
  certificate_.seconds += watch.seconds();
}

std::vector<CrossbarMatrix::Sample> CrossbarMatrix::draw_samples(Index count) const {
  const RandomStream draws = options_.noise.substream(~certificate_.refreshes);
  const auto arrays = static_cast<std::uint64_t>(2 * tile_count());
  std::vector<Sample> samples(static_cast<std::size_t>(std::min(count, 2 * tile_count())));
  for (std::size_t k = 0; k < samples.size(); ++k) {
    Sample& sample = samples[k];
    const auto array = static_cast<Index>(draws.below(k, arrays));
    sample.polarity = array % 2 == 0 ? Polarity::plus : Polarity::minus;
    sample.tile = array / 2;
    sample.inputs = surrogate::random_sparse_inputs(
        technology().tile_rows, options_.certificate.inputs, certificate_.refreshes + k);
    sample.conductance = tile_conductance(sample.polarity, sample.tile);
  }
  parallel_for(static_cast<Index>(samples.size()), [&](Index k) {
    Sample& sample = samples[static_cast<std::size_t>(k)];
    const WireResistance& wires = technology().wires;
    sample.exact = options_.exact.effective(sample.conductance, wires);
    if (technology().terminals == Terminals::swap) {
      sample.backward = options_.exact.effective(sample.conductance, swapped_wires(wires));
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
    errors.push_back(error(side(sample.polarity).ratio, sample.exact));
    if (sample.backward.size() > 0) {
      errors.back() =
          std::max(errors.back(), error(side(sample.polarity).backward, sample.backward));
    }
  }
  return errors;
}

void CrossbarMatrix::measure_all() {
  updates_since_refresh_ = 0;
  for (Side* side : {&plus_, &minus_}) {
    measure(*side, *side->forward_model, side->ratio);
    if (side->backward_model) measure(*side, *side->backward_model, side->backward);
  }
  gain_.setOnes();
  for_each_output([&](Index o) { compose_output(o); });
  if (technology().gain != Gain::none) {
    fit_gain();
    for_each_output([&](Index o) { compose_output(o); });
  }
}

void CrossbarMatrix::measure(Side& side, surrogate::EffectiveModel<float>& model, MatrixF& ratio) {
  const Index rows = technology().tile_rows;
  const Index columns = technology().tile_columns;
  const surrogate::TileBatch batch{tile_count(), rows, columns};
  const auto size = static_cast<std::size_t>(batch.count * batch.tile_size());
  conductance_.resize(size);
  effective_.resize(size);
  parallel_for(batch.count, [&](Index t) {
    const Index first_input = t / tile_column_count_ * rows;
    const Index first_slot = t % tile_column_count_ * columns;
    float* tile = conductance_.data() + t * batch.tile_size();
    for (Index j = 0; j < columns; ++j) {
      const float* state = side.state.data() + (first_slot + j) * side.state.cols() + first_input;
      for (Index i = 0; i < rows; ++i) tile[i * columns + j] = g_min_ + g_width_ * state[i];
    }
  });
  model.refresh(batch, conductance_);
  model.effective(batch, conductance_, effective_);
  parallel_for(batch.count, [&](Index t) {
    const Index first_input = t / tile_column_count_ * rows;
    const Index first_slot = t % tile_column_count_ * columns;
    const float* tile = conductance_.data() + t * batch.tile_size();
    const float* effective = effective_.data() + t * batch.tile_size();
    for (Index j = 0; j < columns; ++j) {
      float* out = ratio.data() + (first_slot + j) * ratio.cols() + first_input;
      for (Index i = 0; i < rows; ++i) {
        out[i] = effective[i * columns + j] / tile[i * columns + j];
      }
    }
  });
}

// W_eff(o,k) = gain * weight_range * ((x+ + g0) ratio+ - (x- + g0) ratio-), g0 = g_min/(g_max -
// g_min)
void CrossbarMatrix::compose_output(Index output, const MatrixF& ratio_plus,
                                    const MatrixF& ratio_minus, MatrixF& effective) const {
  const float g0 = g_min_ / g_width_;
  const Index offset = slot_of_output_[static_cast<std::size_t>(output)] * plus_.state.cols();
  const Index rows = technology().tile_rows;
  const float* plus = plus_.state.data() + offset;
  const float* minus = minus_.state.data() + offset;
  const float* up = ratio_plus.data() + offset;
  const float* down = ratio_minus.data() + offset;
  float* out = effective.data() + output * inputs_;
  for (Index tile_row = 0; tile_row < tile_row_count_; ++tile_row) {
    const float scale = weight_range_ * gain_(output, tile_row);
    const Index first = tile_row * rows;
    const Index last = std::min(first + rows, inputs_);
#pragma omp simd
    for (Index k = first; k < last; ++k) {
      out[k] = scale * ((plus[k] + g0) * up[k] - (minus[k] + g0) * down[k]);
    }
  }
}

void CrossbarMatrix::compose_output(Index output) {
  compose_output(output, plus_.ratio, minus_.ratio, forward_);
  if (technology().terminals == Terminals::swap) {
    compose_output(output, plus_.backward, minus_.backward, backward_);
  }
}

void CrossbarMatrix::decode_output(Index output) {
  const Index offset = slot_of_output_[static_cast<std::size_t>(output)] * plus_.state.cols();
  const float* plus = plus_.state.data() + offset;
  const float* minus = minus_.state.data() + offset;
  float* out = weight_.data() + output * inputs_;
#pragma omp simd
  for (Index k = 0; k < inputs_; ++k) out[k] = weight_range_ * (plus[k] - minus[k]);
}

void CrossbarMatrix::fit_gain() {
  const Index rows = technology().tile_rows;
  // Sums over each bitline's own cells; a tile's factor adds up its bitlines.
  Matrix wanted = Matrix::Zero(slot_count(), tile_row_count_);
  Matrix found = Matrix::Zero(slot_count(), tile_row_count_);
  for (Index o = 0; o < outputs_; ++o) {
    const Index slot = slot_of_output_[static_cast<std::size_t>(o)];
    for (Index r = 0; r < tile_row_count_; ++r) {
      const Index first = r * rows;
      const Index count = std::min(rows, inputs_ - first);
      const auto ideal = weight_.row(o).segment(first, count).cast<double>();
      const auto wired = forward_.row(o).segment(first, count).cast<double>();
      wanted(slot, r) = ideal.dot(wired);
      found(slot, r) = wired.squaredNorm();
    }
  }
  if (technology().gain == Gain::tile) {
    const Index columns = technology().tile_columns;
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
    const Index slot = slot_of_output_[static_cast<std::size_t>(o)];
    for (Index r = 0; r < tile_row_count_; ++r) {
      gain_(o, r) =
          found(slot, r) > 0 ? static_cast<float>(wanted(slot, r) / found(slot, r)) : 1.0F;
    }
  }
}

void CrossbarMatrix::check_column_order(const std::vector<Index>& slot_of_output) const {
  if (static_cast<Index>(slot_of_output.size()) != outputs_) {
    throw InvalidArgument(fmt::format("column order: expected {} slots, one an output, got {}",
                                      outputs_, slot_of_output.size()));
  }
  std::vector<bool> taken(static_cast<std::size_t>(slot_count()), false);
  for (const Index slot : slot_of_output) {
    if (slot < 0 || slot >= slot_count()) {
      throw InvalidArgument(
          fmt::format("column order: expected slots 0 to {}, got {}", slot_count() - 1, slot));
    }
    if (taken[static_cast<std::size_t>(slot)]) {
      throw InvalidArgument(fmt::format("column order: slot {} is used twice", slot));
    }
    taken[static_cast<std::size_t>(slot)] = true;
  }
}

void CrossbarMatrix::set_column_order(const std::vector<Index>& slot_of_output) {
  check_column_order(slot_of_output);
  for (Side* side : {&plus_, &minus_}) {
    MatrixF moved = MatrixF::Zero(side->state.rows(), side->state.cols());
    for (std::size_t o = 0; o < slot_of_output.size(); ++o) {
      moved.row(slot_of_output[o]) = side->state.row(slot_of_output_[o]);
    }
    side->state = std::move(moved);
  }
  slot_of_output_ = slot_of_output;
  measure_all();
}

CrossbarMatrix::State CrossbarMatrix::state() const {
  State state{MatrixF(outputs_, inputs_),
              MatrixF(outputs_, inputs_),
              update_count_,
              slot_of_output_,
              choice_,
              certificate_};
  for (Index o = 0; o < outputs_; ++o) {
    const Index slot = slot_of_output_[static_cast<std::size_t>(o)];
    state.plus.row(o) = plus_.state.row(slot).head(inputs_);
    state.minus.row(o) = minus_.state.row(slot).head(inputs_);
  }
  return state;
}

void CrossbarMatrix::restore(const State& state) {
  for (const MatrixF* x : {&state.plus, &state.minus}) {
    if (x->rows() != outputs_ || x->cols() != inputs_) {
      throw InvalidArgument(fmt::format("crossbar state: expected {} x {}, got {} x {}", outputs_,
                                        inputs_, x->rows(), x->cols()));
    }
  }
  check_column_order(state.slot_of_output);
  slot_of_output_ = state.slot_of_output;
  update_count_ = state.update_count;
  choice_ = state.choice;
  certificate_ = state.certificate;
  make_models();
  plus_.state.setZero();
  minus_.state.setZero();
  for (Index o = 0; o < outputs_; ++o) {
    const Index slot = slot_of_output_[static_cast<std::size_t>(o)];
    plus_.state.row(slot).head(inputs_) = state.plus.row(o);
    minus_.state.row(slot).head(inputs_) = state.minus.row(o);
  }
  for_each_output([&](Index o) { decode_output(o); });
  measure_all();
}

Matrix CrossbarMatrix::tile_of(const MatrixF& matrix, Index tile) const {
  const Index rows = technology().tile_rows;
  const Index columns = technology().tile_columns;
  return matrix
      .block(tile % tile_column_count_ * columns, tile / tile_column_count_ * rows, columns, rows)
      .cast<double>()
      .transpose();
}

Matrix CrossbarMatrix::tile_conductance(Polarity polarity, Index tile) const {
  if (tile < 0 || tile >= tile_count()) {
    throw InvalidArgument(fmt::format("tile: expected 0 to {}, got {}", tile_count() - 1, tile));
  }
  return (static_cast<double>(g_min_) +
          static_cast<double>(g_width_) * tile_of(side(polarity).state, tile).array())
      .matrix();
}

}  // namespace xbar::mapping
