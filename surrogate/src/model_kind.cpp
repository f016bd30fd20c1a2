#include <algorithm>
#include <array>
#include <string>
#include <type_traits>
#include <vector>

#include <fmt/format.h>

#include <xbar/core/error.hpp>
#include <xbar/core/suggest.hpp>
#include <xbar/surrogate/model.hpp>

#include "models/models.hpp"

namespace xbar::surrogate {
namespace {

// In the order of ModelKind.
const std::array<Member, 13>& members() {
  static const std::array<Member, 13> table{
      ideal_member(),        closed_form_member(), ladder_member(),       operating_point_member(),
      sneak_ladder_member(), cell_ratio_member(),  ladder_ratio_member(), sneak_ratio_member(),
      exact_member(),        series_path_member(), jeong_member(),        dmr_member(),
      alpha_beta_member()};
  return table;
}

}  // namespace

std::span<const ModelInfo> model_infos() {
  static const std::vector<ModelInfo> infos = [] {
    std::vector<ModelInfo> result;
    for (const Member& member : members()) result.push_back(member.info);
    return result;
  }();
  return infos;
}

const ModelInfo& model_info(ModelKind kind) {
  return model_infos()[static_cast<std::size_t>(kind)];
}

std::string_view model_name(ModelKind kind) { return model_info(kind).name; }

ModelKind parse_model(std::string_view name) {
  std::vector<std::string> names;
  for (const ModelInfo& info : model_infos()) {
    if (info.name == name) return info.kind;
    names.emplace_back(info.name);
  }
  throw InvalidArgument(fmt::format("model: expected one of {}, got '{}'{}", fmt::join(names, ", "),
                                    name, did_you_mean(name, names)));
}

template <typename Real>
std::unique_ptr<EffectiveModel<Real>> make_model(ModelKind kind, const WireResistance& wires,
                                                 const ExactSolver& exact) {
  check_wires(wires);
  const Member& member = members()[static_cast<std::size_t>(kind)];
  if (member.info.needs_exact && (!exact.effective || !exact.gradient)) {
    throw InvalidArgument(fmt::format(
        "model {}: expected an exact solver to measure with, got none", member.info.name));
  }
  if constexpr (std::is_same_v<Real, float>) {
    return member.make_float(wires, exact);
  } else {
    return member.make_double(wires, exact);
  }
}

template std::unique_ptr<EffectiveModel<float>> make_model(ModelKind, const WireResistance&,
                                                           const ExactSolver&);
template std::unique_ptr<EffectiveModel<double>> make_model(ModelKind, const WireResistance&,
                                                            const ExactSolver&);

}  // namespace xbar::surrogate
