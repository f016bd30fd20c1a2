#pragma once

/// The cell model and its parameters: the flags of solve, transient and spice.

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <xbar/device/cell_models.hpp>

namespace xbar::cli {

class CellFlags {
 public:
  void add(CLI::App& app);

  [[nodiscard]] const std::string& name() const { return name_; }
  /// Ohmic cells without any parameter: the linear solver answers.
  [[nodiscard]] bool linear() const { return name_ == "linear"; }

  /// @throws InvalidArgument naming the flag or the file; IoError for files that cannot be read
  [[nodiscard]] std::unique_ptr<device::CellModel> model() const;

 private:
  std::string name_ = "linear";
  std::string sinh_alpha_;
  std::vector<std::string> parameters_;
  std::string gate_volt_;
  std::string table_path_;
};

}  // namespace xbar::cli
