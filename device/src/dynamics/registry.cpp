#include <array>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/device/dynamics/jart_vcm_v1b.hpp>
#include <xbar/device/dynamics/registry.hpp>
#include <xbar/device/dynamics/stanford_pku.hpp>
#include <xbar/device/dynamics/vteam.hpp>
#include <xbar/device/dynamics/yakopcic.hpp>

namespace xbar::device {
namespace {

struct Model {
  std::string_view name;
  std::unique_ptr<DynamicCell> (*make)(const ParameterValues& parameters);
  std::vector<ParameterInfo> (*parameters)();
  std::string_view waveform;
};

constexpr std::array models{
    Model{"vteam", make_vteam, vteam_parameters, "triangle:high=0.5,low=-0.5,period=1e-6"},
    Model{"yakopcic", make_yakopcic, yakopcic_parameters, "triangle:high=1,low=-1.5,period=0.2"},
    Model{"stanford-pku", make_stanford_pku, stanford_pku_parameters,
          "triangle:high=1.6,low=-1.6,period=1e-3"},
    Model{"jart-vcm-v1b", make_jart_vcm_v1b, jart_vcm_v1b_parameters,
          "triangle:high=1.5,low=-1.5,period=6"},
};

const Model& find(std::string_view name) {
  for (const Model& model : models) {
    if (model.name == name) return model;
  }
  const std::vector<std::string> names = dynamic_model_names();
  throw InvalidArgument(fmt::format("model: expected one of {}, got '{}'{}", fmt::join(names, ", "),
                                    name, did_you_mean(name, names)));
}

}  // namespace

std::vector<std::string> dynamic_model_names() {
  std::vector<std::string> names;
  for (const Model& model : models) names.emplace_back(model.name);
  return names;
}

std::unique_ptr<DynamicCell> make_dynamic_cell(std::string_view name,
                                               const ParameterValues& parameters) {
  return find(name).make(parameters);
}

std::vector<ParameterInfo> dynamic_model_parameters(std::string_view name) {
  return find(name).parameters();
}

std::string dynamic_model_waveform(std::string_view name) {
  return std::string(find(name).waveform);
}

}  // namespace xbar::device
