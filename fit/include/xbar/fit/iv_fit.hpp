#pragma once

/// From a current-voltage sweep to a cell model.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <xbar/fit/estimate.hpp>

namespace xbar::fit {

/// A sweep: voltages across the cell in the order of time, and its currents.
struct IvData {
  std::string name;  ///< of the file, for messages
  std::vector<double> volt;
  std::vector<double> ampere;
};

/// Reads rows of volt, ampere, or of time, volt, ampere; one heading is skipped.
/// @throws IoError naming file and line, what was expected and what was found
[[nodiscard]] IvData parse_iv_data(std::string_view text, const std::string& name);
[[nodiscard]] IvData read_iv_data(const std::filesystem::path& path);

/// A part of the sweep in which the size of the voltage falls: the cell keeps its state, so that
/// the currents are those of one conductance.
struct IvBranch {
  std::size_t begin = 0;  ///< points begin to end - 1 of the sweep
  std::size_t end = 0;
  Estimate conductance;  ///< G of the cell model, siemens
};

/// One cell model (device/cell_models.hpp) against the branches. Errors are shares of each branch's
/// largest current.
struct IvModelFit {
  std::string name;
  std::vector<Estimate> parameters;  ///< of the model, the same for all branches
  std::vector<IvBranch> branches;
  std::vector<double> ampere;  ///< at every point of the sweep; NaN outside the branches
  double rms = 0;
  double validated_rms = 0;
  double excess = 0;  ///< as in ModelFit
  double excess_error = 0;
};

struct IvFit {
  std::vector<IvModelFit> models;  ///< linear, sinh, series-resistance
  std::size_t best = 0;
};

/// Fits G of each branch and the parameters that all share.
/// @param folds  of the cross-validation: contiguous blocks of each branch
/// @throws IoError for a sweep without a branch of at least two points a fold
[[nodiscard]] IvFit fit_iv(const IvData& data, int folds);

}  // namespace xbar::fit
