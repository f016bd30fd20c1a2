#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/gemm.hpp>
#include <xbar/mapping/remap/output_error.hpp>
#include <xbar/surrogate/model.hpp>

namespace xbar::mapping {
namespace {

constexpr Index empty = -1;

std::vector<Index> in_slots(const std::vector<Index>& slot_of, Index slots) {
  std::vector<Index> held(static_cast<std::size_t>(slots), empty);
  for (std::size_t k = 0; k < slot_of.size(); ++k) {
    held[static_cast<std::size_t>(slot_of[k])] = static_cast<Index>(k);
  }
  return held;
}

void exchange(std::vector<Index>& slot_of, std::vector<Index>& held, Index one, Index other) {
  std::swap(held[static_cast<std::size_t>(one)], held[static_cast<std::size_t>(other)]);
  for (const Index slot : {one, other}) {
    const Index item = held[static_cast<std::size_t>(slot)];
    if (item != empty) slot_of[static_cast<std::size_t>(item)] = slot;
  }
}

MatrixF product(const MatrixF& a, const MatrixF& b) {
  MatrixF c(a.rows(), b.cols());
  gemm(Op::none, Op::none, a.rows(), b.cols(), a.cols(), 1, a.data(), a.cols(), b.data(), b.cols(),
       0, c.data(), c.cols());
  return c;
}

std::vector<Index> all_of(Index count) {
  std::vector<Index> all(static_cast<std::size_t>(count));
  for (Index k = 0; k < count; ++k) all[static_cast<std::size_t>(k)] = k;
  return all;
}

std::vector<Index> tiles_of(Index one, Index other, Index size) {
  std::vector<Index> tiles = {one / size};
  if (other / size != tiles.front()) tiles.push_back(other / size);
  return tiles;
}

}  // namespace

OutputError::OutputError(const CrossbarMatrix& matrix, SignalMoments moments,
                         surrogate::ModelKind model)
    : matrix_(matrix), moments_(std::move(moments)), cells_(matrix.state().cells) {
  if (surrogate::model_info(model).measures) {
    throw InvalidArgument(
        fmt::format("output error: expected a surrogate that measures nothing, "
                    "got {}",
                    surrogate::model_name(model)));
  }
  const auto check = [](const char* what, const MatrixF& moment, Index size) {
    if (moment.rows() != size || moment.cols() != size) {
      throw InvalidArgument(fmt::format("{} moments: expected {} x {}, got {} x {}", what, size,
                                        size, moment.rows(), moment.cols()));
    }
  };
  check("input", moments_.inputs, matrix.inputs());
  check("output", moments_.outputs, matrix.outputs());
  model_ = surrogate::make_model<float>(model, matrix.technology().wires, {});
  set_order(matrix.order());
}

void OutputError::set_order(const ArrayOrder& order) {
  check_order(order, matrix_.outputs(), matrix_.inputs(), matrix_.slot_count(),
              matrix_.row_slot_count());
  order_ = order;
  output_of_slot_ = in_slots(order_.slot_of_output, matrix_.slot_count());
  input_of_slot_ = in_slots(order_.slot_of_input, matrix_.row_slot_count());
  difference_ = MatrixF::Zero(matrix_.outputs(), matrix_.inputs());
  const Change all = measure(all_of(matrix_.tile_row_count()), all_of(matrix_.tile_column_count()));
  for (std::size_t o = 0; o < all.outputs.size(); ++o) {
    for (std::size_t k = 0; k < all.inputs.size(); ++k) {
      difference_(all.outputs[o], all.inputs[k]) =
          all.difference(static_cast<Index>(o), static_cast<Index>(k));
    }
  }
  slope_ = product(moments_.outputs, product(difference_, moments_.inputs));
  value_ = difference_.cast<double>().cwiseProduct(slope_.cast<double>()).sum();
}

OutputError::Change OutputError::measure(const std::vector<Index>& tile_rows,
                                         const std::vector<Index>& tile_columns) const {
  const Technology& technology = matrix_.technology();
  const Index rows = technology.tile_rows;
  const Index columns = technology.tile_columns;
  const Index slots = matrix_.outputs_per_tile();
  const Index planes = matrix_.plane_count();
  const WeightEncoder& encoder = matrix_.encoder();
  const bool has_reference = technology.layout == Layout::offset;
  Change change;
  const auto gather = [](const std::vector<Index>& tiles, Index size,
                         const std::vector<Index>& held, std::vector<Index>& items) {
    for (const Index t : tiles) {
      for (Index s = t * size; s < (t + 1) * size; ++s) {
        const Index item = held[static_cast<std::size_t>(s)];
        if (item != empty) items.push_back(item);
      }
    }
  };
  gather(tile_rows, rows, input_of_slot_, change.inputs);
  gather(tile_columns, slots, output_of_slot_, change.outputs);
  change.difference.resize(static_cast<Index>(change.outputs.size()),
                           static_cast<Index>(change.inputs.size()));
  const surrogate::TileBatch batch{planes, rows, columns};
  thread_local std::vector<float> conductance;
  thread_local std::vector<float> effective;
  conductance.resize(static_cast<std::size_t>(batch.size()));
  effective.resize(conductance.size());
  const float scale = matrix_.weight_range() / static_cast<float>(technology.range().width());
  Index first_output = 0;
  for (const Index c : tile_columns) {
    Index outputs_here = 0;
    for (Index s = c * slots; s < (c + 1) * slots; ++s) {
      outputs_here += output_of_slot_[static_cast<std::size_t>(s)] != empty;
    }
    Index first_input = 0;
    for (const Index r : tile_rows) {
      const Index* inputs = input_of_slot_.data() + r * rows;
      // Cells without a weight.
      for (Index p = 0; p < planes; ++p) {
        for (Index i = 0; i < rows; ++i) {
          float* to = conductance.data() + (p * rows + i) * columns;
          for (Index j = 0; j < columns; ++j) {
            to[j] = matrix_.conductance(p, c * columns + j, r * rows + i, 0.0F);
          }
        }
      }
      const auto put = [&](Index plane, Index bitline, Index i, float x) {
        conductance[static_cast<std::size_t>((plane * rows + i) * columns + bitline % columns)] =
            matrix_.conductance(plane, bitline, r * rows + i, x);
      };
      for (Index s = c * slots; s < (c + 1) * slots; ++s) {
        const Index o = output_of_slot_[static_cast<std::size_t>(s)];
        if (o == empty) continue;
        for (Index cell = 0; cell < encoder.cells(); ++cell) {
          const float* x = cells_[static_cast<std::size_t>(cell)].row(o).data();
          const Index plane = matrix_.plane_of(cell);
          const Index bitline = matrix_.bitline_of(cell, s);
          for (Index i = 0; i < rows; ++i) {
            if (inputs[i] != empty) put(plane, bitline, i, x[inputs[i]]);
          }
        }
      }
      if (has_reference) {
        for (Index slice = 0; slice < encoder.slices(); ++slice) {
          const Index bitline = matrix_.reference_bitline(c * slots);
          for (Index i = 0; i < rows; ++i) {
            if (inputs[i] != empty) put(slice, bitline, i, encoder.reference(slice));
          }
        }
      }
      model_->refresh(batch, conductance);
      model_->effective(batch, conductance, effective);
      Index place = first_output;
      Index inputs_here = 0;
      for (Index s = c * slots; s < (c + 1) * slots; ++s) {
        const Index o = output_of_slot_[static_cast<std::size_t>(s)];
        if (o == empty) continue;
        const float* weight = matrix_.weight().row(o).data();
        const float* before = difference_.row(o).data();
        float* out = change.difference.row(place++).data() + first_input;
        inputs_here = 0;
        for (Index i = 0; i < rows; ++i) {
          const Index k = inputs[i];
          if (k == empty) continue;
          float sum = 0;
          for (Index cell = 0; cell < encoder.cells(); ++cell) {
            const Index line = (matrix_.plane_of(cell) * rows + i) * columns;
            const Index bitline = matrix_.bitline_of(cell, s) % columns;
            float g = effective[static_cast<std::size_t>(line + bitline)];
            if (has_reference) g -= effective[static_cast<std::size_t>(line + columns - 1)];
            sum += encoder.coefficient(cell) * g;
          }
          out[inputs_here++] = scale * sum - weight[k] - before[k];
        }
      }
      first_input += inputs_here;
    }
    first_output += outputs_here;
  }
  return change;
}

double OutputError::rise(const Change& change) const {
  const MatrixF c = moments_.inputs(change.inputs, change.inputs);
  const MatrixF m = moments_.outputs(change.outputs, change.outputs);
  const MatrixF slope = slope_(change.outputs, change.inputs);
  const MatrixF curved = product(m, product(change.difference, c));
  return static_cast<double>(
      change.difference.cwiseProduct(2 * slope + curved).cast<double>().sum());
}

void OutputError::take(const Change& change) {
  for (std::size_t o = 0; o < change.outputs.size(); ++o) {
    for (std::size_t k = 0; k < change.inputs.size(); ++k) {
      difference_(change.outputs[o], change.inputs[k]) +=
          change.difference(static_cast<Index>(o), static_cast<Index>(k));
    }
  }
  const MatrixF c = moments_.inputs(change.inputs, Eigen::all);
  const MatrixF m = moments_.outputs(Eigen::all, change.outputs);
  slope_ += product(m, product(change.difference, c));
}

bool OutputError::keep_if_better(const std::vector<Index>& tile_rows,
                                 const std::vector<Index>& tile_columns) {
  const Change change = measure(tile_rows, tile_columns);
  const double difference = rise(change);
  if (!(difference < 0)) return false;
  take(change);
  value_ += difference;
  return true;
}

bool OutputError::try_rows(Index one, Index other) {
  exchange(order_.slot_of_input, input_of_slot_, one, other);
  if (keep_if_better(tiles_of(one, other, matrix_.technology().tile_rows),
                     all_of(matrix_.tile_column_count()))) {
    return true;
  }
  exchange(order_.slot_of_input, input_of_slot_, one, other);
  return false;
}

bool OutputError::try_columns(Index one, Index other) {
  exchange(order_.slot_of_output, output_of_slot_, one, other);
  if (keep_if_better(all_of(matrix_.tile_row_count()),
                     tiles_of(one, other, matrix_.outputs_per_tile()))) {
    return true;
  }
  exchange(order_.slot_of_output, output_of_slot_, one, other);
  return false;
}

}  // namespace xbar::mapping
