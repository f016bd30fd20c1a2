#pragma once

/// Solved arrays from outside the project, ngspice's among them; read where they are present.

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <xbar/core/matrix.hpp>
#include <xbar/core/wires.hpp>

#include "support/catch.hpp"

namespace xbar_test {

struct ReferenceArray {
  std::string name;
  xbar::Matrix conductance;
  xbar::Matrix voltage;  ///< m x 1
  xbar::WireResistance wires;
  xbar::Matrix current;  ///< n x 1; of a transient, times x n
  nlohmann::json data;   ///< the whole file
};

/// All of one kind, at least `least`; none, with a warning, where the folder is missing.
inline std::vector<ReferenceArray> reference_arrays(const std::string& kind, std::size_t least) {
  std::vector<ReferenceArray> arrays;
  const std::filesystem::path folder =
      std::filesystem::path(XBAR_SHARED_DIR) / "reference" / "array";
  if (!std::filesystem::exists(folder)) {
    WARN("skipped: " << folder << " is not there");
    return arrays;
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream stream(entry.path());
    nlohmann::json data = nlohmann::json::parse(stream);
    if (data.at("kind") != kind) continue;
    const auto fill = [](xbar::Matrix& matrix, const nlohmann::json& values) {
      const auto rows = static_cast<xbar::Index>(values.size());
      const bool nested = values.at(0).is_array();
      matrix.resize(rows, nested ? static_cast<xbar::Index>(values.at(0).size()) : 1);
      for (xbar::Index i = 0; i < rows; ++i) {
        const auto& row = values.at(static_cast<std::size_t>(i));
        for (xbar::Index j = 0; j < matrix.cols(); ++j) {
          matrix(i, j) = nested ? row.at(static_cast<std::size_t>(j)) : row;
        }
      }
    };
    ReferenceArray array;
    array.name = entry.path().filename().string();
    fill(array.conductance, data.at("conductance"));
    fill(array.voltage, data.at("voltage"));
    fill(array.current, data.at("current_exact"));
    array.wires = {data.at("source_ohm"), data.at("sink_ohm"), data.at("wordline_ohm"),
                   data.at("bitline_ohm")};
    REQUIRE(array.conductance.rows() == data.at("m").get<xbar::Index>());
    REQUIRE(array.conductance.cols() == data.at("n").get<xbar::Index>());
    array.data = std::move(data);
    arrays.push_back(std::move(array));
  }
  REQUIRE(arrays.size() >= least);
  return arrays;
}

}  // namespace xbar_test
