#include "cell_flags.hpp"

#include <string_view>

#include <fmt/format.h>

#include <xbar/core/array_file.hpp>
#include <xbar/core/error.hpp>

#include "flags.hpp"

namespace xbar::cli {
namespace {

double number(std::string_view flag, const std::string& text) {
  if (const auto value = as_number<double>(text)) return *value;
  throw InvalidArgument(fmt::format("{}: expected a number, got '{}'", flag, text));
}

std::string cell_names() {
  std::vector<std::string_view> names;
  for (const device::CellModelInfo& info : device::cell_model_infos()) names.push_back(info.name);
  return fmt::to_string(fmt::join(names, "|"));
}

// "cell model: linear (ohmic), ...; parameters: ..." from the models themselves.
std::string cell_help() {
  std::vector<std::string> models;
  for (const device::CellModelInfo& info : device::cell_model_infos()) {
    models.push_back(fmt::format("{} ({})", info.name, info.what));
  }
  return fmt::format("cell model: {}", fmt::join(models, ", "));
}

std::string parameter_help() {
  std::vector<std::string> parameters;
  for (const device::CellModelInfo& info : device::cell_model_infos()) {
    for (const device::CellParameter& parameter : info.parameters) {
      parameters.push_back(
          fmt::format("{} {} = {} {}", info.name, parameter.name, parameter.value, parameter.unit));
    }
  }
  return fmt::format("a parameter of the cell model, may be repeated; defaults: {}",
                     fmt::join(parameters, ", "));
}

}  // namespace

void CellFlags::add(CLI::App& app) {
  app.add_option("--cell", name_, cell_help())->type_name(cell_names());
  app.add_option("--sinh-alpha", sinh_alpha_, "a of sinh cells, 1/volt")->type_name("NUMBER");
  app.add_option("--cell-parameter", parameters_, parameter_help())->type_name("NAME=VALUE");
  app.add_option(
         "--gate-volt", gate_volt_,
         "gate voltage of transistor cells: a number, or a file of m x 1 (one a wordline) or "
         "1 x n (one a bitline)")
      ->type_name("VOLT|FILE");
  app.add_option("--cell-table", table_path_,
                 "I-V table of table cells: volt, ampere per siemens of G")
      ->type_name("FILE");
}

std::unique_ptr<device::CellModel> CellFlags::model() const {
  device::CellSettings settings;
  settings.parameters = read_parameters("--cell-parameter", parameters_);
  if (!sinh_alpha_.empty() &&
      !settings.parameters.emplace("sinh_alpha", number("--sinh-alpha", sinh_alpha_)).second) {
    throw InvalidArgument("--sinh-alpha: --cell-parameter gives sinh_alpha too");
  }
  if (!gate_volt_.empty()) {
    const auto value = as_number<double>(gate_volt_);
    settings.gate_volt =
        value ? Matrix::Constant(1, 1, *value) : Matrix(read_array(gate_volt_).values);
  }
  if (!table_path_.empty()) {
    settings.table = read_array(table_path_).values;
    settings.table_name = table_path_;
  } else {
    settings.table_name = "--cell-table";
  }
  return device::make_cell_model(name_, settings);
}

}  // namespace xbar::cli
