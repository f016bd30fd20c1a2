#pragma once

/// Where the time of a training run goes.

#include <array>

namespace xbar::nn {

/// Wall-clock seconds of each part of a run. The parts do not overlap: what weight stores say of
/// themselves (WeightStore::times) is taken out of the step that they did it in.
struct PhaseTimes {
  double data = 0;           ///< images gathered and augmented
  double forward = 0;        ///< forward pass and loss
  double backward = 0;       ///< backward pass
  double update = 0;         ///< the optimiser, and the stores' response to what it asks for
  double surrogate = 0;      ///< effective conductances measured
  double converters = 0;     ///< the products of both passes, where they go through converters
  double certificate = 0;    ///< surrogates checked against the exact circuit
  double communication = 0;  ///< sums over the processes that train together, waiting included
  double evaluation = 0;     ///< tests at the ends of epochs, whatever they consist of

  /// All but the evaluation.
  [[nodiscard]] double training() const;
  PhaseTimes& operator+=(const PhaseTimes& other);
};

/// One of them, with its name in files and tables.
struct Phase {
  const char* name;
  double PhaseTimes::*seconds;
};

/// All of them, in order.
inline constexpr std::array<Phase, 9> phases = {{{"data", &PhaseTimes::data},
                                                 {"forward", &PhaseTimes::forward},
                                                 {"backward", &PhaseTimes::backward},
                                                 {"update", &PhaseTimes::update},
                                                 {"surrogate", &PhaseTimes::surrogate},
                                                 {"converters", &PhaseTimes::converters},
                                                 {"certificate", &PhaseTimes::certificate},
                                                 {"communication", &PhaseTimes::communication},
                                                 {"evaluation", &PhaseTimes::evaluation}}};

inline PhaseTimes& PhaseTimes::operator+=(const PhaseTimes& other) {
  for (const Phase& phase : phases) this->*phase.seconds += other.*phase.seconds;
  return *this;
}

inline double PhaseTimes::training() const {
  double sum = 0;
  for (const Phase& phase : phases) sum += this->*phase.seconds;
  return sum - evaluation;
}

}  // namespace xbar::nn
