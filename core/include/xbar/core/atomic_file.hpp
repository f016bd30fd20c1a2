#pragma once

/// Files that are never half-written: data goes to a temporary beside the target, is flushed to
/// disk, and then renamed over it.

#include <filesystem>
#include <string>
#include <string_view>

namespace xbar {

/// Replaces `path` by `bytes` atomically; creates missing parent folders. An existing file keeps
/// its permissions; a symbolic link to a file stays and that file is replaced. A pipe or device
/// (/dev/stdout, say) cannot be replaced and is written to directly.
/// @throws IoError naming the path and the system's reason (no space, no permission); `path` is
///         then as it was before and no temporary is left.
void write_file_atomically(const std::filesystem::path& path, std::string_view bytes);

/// Removes the temporaries that a killed process left in `folder` and below; for a folder that no
/// other process writes to.
void remove_temporaries(const std::filesystem::path& folder);

/// The whole file as bytes.
/// @throws IoError if it cannot be opened or read, or is a folder.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);

}  // namespace xbar
