#include <cmath>

#include <xbar/mapping/remap/assignment.hpp>
#include <xbar/mapping/remap/optimal.hpp>
#include <xbar/surrogate/model.hpp>

namespace xbar::mapping {
namespace {

// Mean share lost on each bitline and each wordline of a tile of equal cells.
struct SlotLoss {
  std::vector<double> bitline;
  std::vector<double> wordline;
};

SlotLoss slot_loss(const CrossbarMatrix& matrix) {
  const Technology& technology = matrix.technology();
  const surrogate::TileBatch batch{1, technology.tile_rows, technology.tile_columns};
  double mean = 0;
  const Index tiles = matrix.plane_count() * matrix.tile_count();
  for (Index t = 0; t < tiles; ++t) {
    mean += matrix.tile_conductance(t / matrix.tile_count(), t % matrix.tile_count()).mean() /
            static_cast<double>(tiles);
  }
  const std::vector<float> conductance(static_cast<std::size_t>(batch.size()),
                                       static_cast<float>(mean));
  std::vector<float> effective(conductance.size());
  surrogate::make_model<float>(surrogate::ModelKind::ladder, technology.wires, {})
      ->effective(batch, conductance, effective);
  SlotLoss loss{std::vector<double>(static_cast<std::size_t>(batch.columns), 0.0),
                std::vector<double>(static_cast<std::size_t>(batch.rows), 0.0)};
  for (Index i = 0; i < batch.rows; ++i) {
    for (Index j = 0; j < batch.columns; ++j) {
      const double share =
          1 -
          static_cast<double>(effective[static_cast<std::size_t>(i * batch.columns + j)]) / mean;
      loss.bitline[static_cast<std::size_t>(j)] += share / static_cast<double>(batch.rows);
      loss.wordline[static_cast<std::size_t>(i)] += share / static_cast<double>(batch.columns);
    }
  }
  return loss;
}

std::vector<Index> assign(const Eigen::VectorXd& weight, Index slots, Index slots_of_a_tile,
                          const std::vector<double>& loss_of_slot) {
  Matrix cost(weight.size(), slots);
  for (Index s = 0; s < slots; ++s) {
    const double loss = loss_of_slot[static_cast<std::size_t>(s % slots_of_a_tile)];
    cost.col(s) = weight * (loss * loss);
  }
  return linear_assignment(cost);
}

ArrayOrder assigned(const CrossbarMatrix& matrix, const SignalMoments& moments,
                    const RemapFreedoms& freedoms) {
  const Matrix squared = matrix.weight().cast<double>().cwiseAbs2();
  const Eigen::VectorXd c = moments.inputs.diagonal().cast<double>();
  const Eigen::VectorXd m = moments.outputs.diagonal().cast<double>();
  const SlotLoss loss = slot_loss(matrix);
  const Index slots = matrix.outputs_per_tile();
  std::vector<double> of_slot(static_cast<std::size_t>(slots));
  for (Index s = 0; s < slots; ++s) {
    of_slot[static_cast<std::size_t>(s)] =
        loss.bitline[static_cast<std::size_t>(matrix.bitline_of(0, s))];
  }
  ArrayOrder order = matrix.order();
  if (freedoms.columns) {
    const Eigen::VectorXd carried = m.cwiseProduct(squared * c);
    order.slot_of_output = assign(carried, matrix.slot_count(), slots, of_slot);
  }
  if (freedoms.rows) {
    const Eigen::VectorXd carried = c.cwiseProduct(squared.transpose() * m);
    order.slot_of_input =
        assign(carried, matrix.row_slot_count(), matrix.technology().tile_rows, loss.wordline);
  }
  return order;
}

}  // namespace

void optimal_order(const RemapFreedoms& freedoms, const SearchOptions& options,
                   const RandomStream& draws, OutputError& error) {
  const CrossbarMatrix& matrix = error.matrix();
  const ArrayOrder before = error.order();
  const double value = error.value();
  error.set_order(assigned(matrix, error.moments(), freedoms));
  if (!(error.value() < value)) error.set_order(before);
  std::uint64_t drawn = 0;
  const auto below = [&](Index count) {
    return static_cast<Index>(draws.below(drawn++, static_cast<std::uint64_t>(count)));
  };
  for (Index round = 0; round < options.rounds; ++round) {
    const double at_start = error.value();
    for (Index partner = 0; partner < options.partners; ++partner) {
      if (freedoms.rows) {
        for (Index s = 0; s < matrix.row_slot_count(); ++s) {
          error.try_rows(s, below(matrix.row_slot_count()));
        }
      }
      if (freedoms.columns) {
        for (Index s = 0; s < matrix.slot_count(); ++s) {
          error.try_columns(s, below(matrix.slot_count()));
        }
      }
    }
    if (!(error.value() < (1 - options.least_gain) * at_start)) break;
  }
}

}  // namespace xbar::mapping
