#pragma once

/// state.npz of a run of `xbar program`: everything that going on needs, and how long the log was
/// at that moment.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <xbar/core/matrix.hpp>
#include <xbar/device/dynamics/dynamic_cell.hpp>
#include <xbar/solver/program.hpp>

namespace xbar::cli {

/// @throws IoError
void save_program_state(const std::filesystem::path& path, const device::DynamicCell& cell,
                        const Matrix& targets, const solver::ProgramState& state,
                        std::uintmax_t log_size);

/// @param bytes    of the file `name`
/// @param targets  of the run that goes on
/// @param units    of a pass (solver::program_units)
/// @param state    in: from solver::start_program; out: where the run was
/// @return how long the log was, bytes
/// @throws IoError if the file is damaged; InvalidArgument if it belongs to other targets
[[nodiscard]] std::uintmax_t parse_program_state(std::string_view bytes, const std::string& name,
                                                 const device::DynamicCell& cell,
                                                 const Matrix& targets, Index units,
                                                 solver::ProgramState& state);

}  // namespace xbar::cli
