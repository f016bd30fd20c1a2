#pragma once

/// The members of the surrogate family by name.

#include <span>
#include <string_view>

namespace xbar::surrogate {

/// Ours, from free to exact; then other groups' closed forms, for comparison.
enum class ModelKind {
  ideal,            ///< G itself: no wires
  closed_form,      ///< G / (1 + alpha + beta), models/closed_form.cpp
  ladder,           ///< two ladder recursions, models/ladder.cpp
  operating_point,  ///< ladder with the cells' voltages of one field, models/operating_point.cpp
  sneak_ladder,     ///< ladder and the sneak paths' rank-one part, models/sneak_ladder.cpp
  cell_ratio,       ///< G times the exact G_eff / G of the last refresh
  ladder_ratio,     ///< ladder times the exact G_eff / ladder of the last refresh
  sneak_ratio,      ///< sneak_ladder times the exact G_eff / sneak_ladder of the last refresh
  exact,            ///< the solver's effective conductance
  series_path,      ///< own cell and own wire length alone (NeuroSim)
  jeong,            ///< line currents of a uniform array [Jeong2018]
  dmr,              ///< separable row and column factors from mean conductances [Liao2021]
  alpha_beta,       ///< the same per cell from each line's own currents
};

/// A row of the table of members.
struct ModelInfo {
  ModelKind kind = ModelKind::ideal;
  std::string_view name;         ///< "sneak-ladder"
  std::string_view what;         ///< one line for help texts and reports
  bool measures = false;         ///< refresh() does work: effective() rests on the last one
  bool needs_exact = false;      ///< needs the solver
  bool takes_inputs = false;     ///< refresh() heeds an operating point
  bool of_other_groups = false;  ///< for comparison only
};

/// All members, in the order of ModelKind.
[[nodiscard]] std::span<const ModelInfo> model_infos();
[[nodiscard]] const ModelInfo& model_info(ModelKind kind);

/// ModelInfo::name.
[[nodiscard]] std::string_view model_name(ModelKind kind);

/// @throws InvalidArgument for a name that is not in the table, suggesting the nearest.
[[nodiscard]] ModelKind parse_model(std::string_view name);

}  // namespace xbar::surrogate
